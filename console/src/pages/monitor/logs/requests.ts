/** Which request each line of a log belongs to, and lines in rows, by request if that is asked for. Pure. */

import { type Report, reportOf } from "../../test/report";
import { type Level, type Line, isAtLeast, versionOf } from "./lines";

/** A stream is one environment, which runs one request at a time: its lines belong to the request that is open. */
interface Open {
  request?: string;
  /** Lines since the last request's end that do not say whose they are. */
  loose: number[];
  /** Whether they begin with an initialisation. */
  init: boolean;
}

/** The request of each line, by its index. Lines of an initialisation belong to the request that came of it. */
export function requestsOf(lines: readonly Line[]): (string | undefined)[] {
  const found: (string | undefined)[] = new Array<string | undefined>(lines.length);
  const streams = new Map<string, Open>();
  const claim = (open: Open, request: string) => {
    for (const index of open.loose) found[index] = request;
    open.loose = [];
    open.init = false;
  };
  lines.forEach(({ stream, platform, requestId }, index) => {
    const open = streams.get(stream) ?? { loose: [], init: false };
    streams.set(stream, open);
    found[index] = requestId ?? open.request;
    if (platform === "init") Object.assign(open, { request: undefined, loose: [index], init: true });
    else if (requestId !== undefined && platform === "start") {
      if (open.init) claim(open, requestId);
      Object.assign(open, { request: requestId, loose: [], init: false });
    } else if (requestId !== undefined && (platform === "end" || platform === "report")) {
      // Where the log is read from the middle of a request on.
      if (open.request === undefined && !open.init) claim(open, requestId);
      Object.assign(open, platform === "report" ? { request: undefined, loose: [], init: false } : { request: requestId });
    } else if (found[index] === undefined) open.loose.push(index);
  });
  return found;
}

export interface Group {
  readonly key: string;
  readonly request?: string;
  readonly stream: string;
  readonly version?: string;
  readonly at: number;
  readonly lines: number;
  /** What the platform reported once the request was over. */
  readonly report?: Report;
  /** Whether any of its lines is an error. */
  readonly failed: boolean;
}

export type Row =
  | { readonly kind: "line"; readonly id: string; readonly line: Line; readonly request?: string }
  | { readonly kind: "group"; readonly id: string; readonly group: Group; readonly folded: boolean };

export interface Shown {
  readonly least: Level;
  readonly grouped: boolean;
  /** Keys of groups whose lines are not shown. */
  readonly folded: ReadonlySet<string>;
}

export function rowsOf(lines: readonly Line[], { least, grouped, folded }: Shown): Row[] {
  const requests = requestsOf(lines);
  if (!grouped) {
    return lines.flatMap((line, index): Row[] => (isAtLeast(line, least) ? [{ kind: "line", id: line.id, line, request: requests[index] }] : []));
  }
  const groups = new Map<string, Line[]>();
  lines.forEach((line, index) => {
    const key = `${line.stream} ${requests[index] ?? ""}`;
    const own = groups.get(key);
    if (own) own.push(line);
    else groups.set(key, [line]);
  });
  return [...groups].flatMap(([key, own]): Row[] => {
    const passed = own.filter((line) => isAtLeast(line, least));
    if (passed.length === 0) return [];
    const request = key.slice(key.lastIndexOf(" ") + 1) || undefined;
    const head: Row = { kind: "group", id: key, group: groupOf(key, request, own), folded: folded.has(key) };
    return folded.has(key) ? [head] : [head, ...passed.map((line): Row => ({ kind: "line", id: line.id, line, request }))];
  });
}

function groupOf(key: string, request: string | undefined, lines: readonly Line[]): Group {
  const [first] = lines;
  const report = lines.find(({ platform }) => platform === "report");
  return {
    key, request, stream: first!.stream, version: versionOf(first!.stream), at: first!.at, lines: lines.length,
    report: report && reportOf(report.text), failed: lines.some((line) => isAtLeast(line, "ERROR")),
  };
}
