/** Invocations as the log tells them: the REPORT of each, and the errors that were not caught before it. Pure. */

import type { LogEvent } from "../../../api/logs";
import { type Report, reportOf } from "../../test/report";
import { lineOf, versionOf } from "../logs/lines";

/** Any of these: a report as text or JSON, and what Python and Node.js write about an error that was not caught. */
export const PATTERN = '?"REPORT RequestId:" ?"platform.report" ?"[ERROR] " ?"Invoke Error"';

export interface Invocation {
  /** Of the line that reports it. */
  readonly id: string;
  /** When it ended, in epoch milliseconds. */
  readonly at: number;
  readonly request: string;
  readonly stream: string;
  readonly version?: string;
  readonly cold: boolean;
  readonly outcome: "succeeded" | "error" | "timeout";
  /** Where the platform names it. */
  readonly errorType?: string;
  readonly report: Report;
}

const UNCAUGHT = /^\[ERROR\] |\tERROR\t(Invoke|Uncaught Exception|Unhandled Promise Rejection)/;

/** The latest first. Events in any order. */
export function invocationsOf(events: readonly LogEvent[]): Invocation[] {
  const ordered = [...events].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const failing = new Set<string>();
  const found: Invocation[] = [];
  for (const event of ordered) {
    const line = lineOf(event);
    if (UNCAUGHT.test(line.text)) failing.add(line.stream);
    const report = line.platform === "report" ? reportOf(line.text) : undefined;
    if (report === undefined || line.requestId === undefined) continue;
    const { outcome, errorType } = statusOf(line.text);
    found.push({
      id: line.id, at: line.at, request: line.requestId, stream: line.stream, version: versionOf(line.stream), report,
      cold: report.init !== undefined || report.restore !== undefined,
      outcome: outcome === "succeeded" && failing.has(line.stream) ? "error" : outcome, ...(errorType === undefined ? {} : { errorType }),
    });
    failing.delete(line.stream);
  }
  return found.reverse();
}

function statusOf(text: string): Pick<Invocation, "outcome" | "errorType"> {
  if (!text.startsWith("{")) {
    return outcomeOf(/\tStatus: (\w+)/.exec(text)?.[1], /\tError Type: ([^\t\n]+)/.exec(text)?.[1]);
  }
  const { record } = JSON.parse(text) as { record?: { status?: string; errorType?: string } };
  return outcomeOf(record?.status, record?.errorType);
}

function outcomeOf(status: string | undefined, errorType: string | undefined): Pick<Invocation, "outcome" | "errorType"> {
  const outcome = status === "timeout" ? "timeout" : status === undefined || status === "success" ? "succeeded" : "error";
  return { outcome, ...(errorType === undefined ? {} : { errorType }) };
}

export const STARTS = { all: "All starts", cold: "Cold starts", warm: "Warm starts" } as const;
export const OUTCOMES = { all: "All results", failed: "Failed", succeeded: "Succeeded" } as const;

export interface Filter {
  readonly start: keyof typeof STARTS;
  readonly outcome: keyof typeof OUTCOMES;
}

export function filterOf(query: URLSearchParams): Filter {
  const start = query.get("start") ?? "", outcome = query.get("result") ?? "";
  return {
    start: Object.hasOwn(STARTS, start) ? (start as Filter["start"]) : "all",
    outcome: Object.hasOwn(OUTCOMES, outcome) ? (outcome as Filter["outcome"]) : "all",
  };
}

export function passes({ start, outcome }: Filter, invocation: Invocation): boolean {
  const failed = invocation.outcome !== "succeeded";
  return (start === "all" || invocation.cold === (start === "cold")) && (outcome === "all" || failed === (outcome === "failed"));
}
