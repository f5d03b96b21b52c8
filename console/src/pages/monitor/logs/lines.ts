/** What a line of a function's log says about itself, in text or JSON: its level, its request, what the platform tells. Pure. */

import type { LogEvent } from "../../../api/logs";

export const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
export type Level = (typeof LEVELS)[number];

export interface Line {
  readonly id: string;
  readonly at: number;
  readonly stream: string;
  /** Without the line's end. */
  readonly text: string;
  /** Where the line says it. */
  readonly level?: Level;
  readonly requestId?: string;
  /** Written by the platform, and where in a request. */
  readonly platform?: "init" | "start" | "end" | "report" | "other";
}

type Told = Pick<Line, "level" | "requestId" | "platform">;

const NAMES: Readonly<Record<string, Level>> = {
  TRACE: "TRACE", DEBUG: "DEBUG", INFO: "INFO", WARN: "WARN", WARNING: "WARN", ERROR: "ERROR", CRITICAL: "FATAL", FATAL: "FATAL",
};
const REQUEST = /^(START|END|REPORT) RequestId: (\S+)/;
const INIT = /^(INIT|RESTORE)_START /;
const OTHER = /^(INIT_REPORT |RESTORE_REPORT |EXTENSION\t|TELEMETRY\t|LOGS\t)/;
const FAILED = /\tStatus: (timeout|error)/;
/** `[LEVEL]<tab>time<tab>request<tab>`, as Python's logging writes it, and `[ERROR] Type: message` of what was not caught. */
const PYTHON = /^\[([A-Z]+)\](?:\t[^\t]*Z\t([^\t]*)\t)?/;
/** `time<tab>request<tab>LEVEL<tab>`, as Node.js's console writes it. */
const NODE = /^\d{4}-\d\d-\d\dT[^\t]*Z\t([^\t]*)\t([A-Z]+)\t/;

export function lineOf({ id, at, stream, message }: LogEvent): Line {
  const text = message.replace(/\r?\n$/, "");
  return { id, at, stream, text, ...told(text) };
}

function told(text: string): Told {
  if (text.startsWith("{")) {
    const document = documentOf(text);
    return document === undefined ? {} : ofDocument(document);
  }
  const request = REQUEST.exec(text);
  if (request) {
    const platform = request[1]!.toLowerCase() as "start" | "end" | "report";
    return { platform, requestId: request[2]!, ...(platform === "report" && FAILED.test(text) ? { level: "ERROR" } : {}) };
  }
  if (INIT.test(text)) return { platform: "init" };
  if (OTHER.test(text)) return { platform: "other", ...(FAILED.test(text) ? { level: "ERROR" } : {}) };
  const python = PYTHON.exec(text);
  if (python) return some(python[1], python[2]);
  const node = NODE.exec(text);
  return node ? some(node[2], node[1]) : {};
}

function ofDocument(document: Readonly<Record<string, unknown>>): Told {
  const { type, record } = document;
  if (typeof type === "string" && type.startsWith("platform.")) return ofRecord(type, isDocument(record) ? record : {});
  const requestId = document.requestId ?? document.AWSRequestId;
  return some(document.level ?? document.log_level, requestId);
}

function ofRecord(type: string, { requestId, status }: Readonly<Record<string, unknown>>): Told {
  const platform = type === "platform.start" ? "start" : type === "platform.report" ? "report" : /\.(init|restore)Start$/.test(type) ? "init" : "other";
  const level = status === undefined || status === "success" ? undefined : "ERROR";
  return { platform, ...(level === undefined ? {} : { level }), ...(typeof requestId === "string" ? { requestId } : {}) };
}

function some(level: unknown, requestId: unknown): Told {
  const known = typeof level === "string" ? NAMES[level.toUpperCase()] : undefined;
  return { ...(known === undefined ? {} : { level: known }), ...(typeof requestId === "string" && requestId !== "" ? { requestId } : {}) };
}

function isDocument(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object that a line is. */
function documentOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return isDocument(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The whole line as it is read best: JSON unfolded. */
export function unfolded({ text }: Line): string {
  const document = text.startsWith("{") ? documentOf(text) : undefined;
  return document === undefined ? text : JSON.stringify(document, null, 2);
}

/** What does not say its level counts as INFO, as Lambda itself has it. */
export function isAtLeast({ level = "INFO" }: Line, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** Streams are named `2026/11/28/[VERSION]id`, with the function's name before the bracket where a group has several. */
export function versionOf(stream: string): string | undefined {
  return /\[([^\]]+)\]/.exec(stream)?.[1];
}

/** Whether a stream of a group is the function's: groups that somebody chose may be those of several. */
export function isOf(functionName: string, stream: string): boolean {
  const named = /^\d{4}\/\d\d\/\d\d\/(.+)\[/.exec(stream)?.[1];
  return named === undefined || named === functionName;
}
