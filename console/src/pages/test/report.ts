/** The REPORT of an invocation, from the end of its log: as text or, with LogFormat JSON, as a record. Pure. */

export interface Report {
  readonly duration?: number;
  readonly billed?: number;
  readonly init?: number;
  readonly restore?: number;
  /** MB. */
  readonly memory?: number;
  readonly used?: number;
}

const NAMES = {
  duration: "Duration", billed: "Billed Duration", init: "Init Duration", restore: "Restore Duration", memory: "Memory Size",
  used: "Max Memory Used",
} as const;

const RECORD = {
  duration: "durationMs", billed: "billedDurationMs", init: "initDurationMs", restore: "restoreDurationMs", memory: "memorySizeMB",
  used: "maxMemoryUsedMB",
} as const;

export function reportOf(log: string): Report | undefined {
  for (const line of log.split("\n").reverse()) {
    if (line.startsWith("REPORT RequestId:")) return ofText(line);
    if (line.startsWith("{") && line.includes("platform.report")) {
      const found = ofRecord(line);
      if (found) return found;
    }
  }
  return undefined;
}

function ofText(line: string): Report {
  const values = new Map(line.split("\t").map((part) => {
    const [name = "", value = ""] = part.split(": ");
    return [name.trim(), Number.parseFloat(value)];
  }));
  return pick((field) => values.get(NAMES[field]));
}

function ofRecord(line: string): Report | undefined {
  try {
    const found = JSON.parse(line);
    if (found?.type !== "platform.report") return undefined;
    return pick((field) => found.record?.metrics?.[RECORD[field]]);
  } catch {
    return undefined;
  }
}

function pick(value: (field: keyof typeof NAMES) => number | undefined): Report {
  const fields = Object.keys(NAMES) as (keyof typeof NAMES)[];
  return Object.fromEntries(fields.map((field) => [field, value(field)]).filter(([, found]) => Number.isFinite(found)));
}
