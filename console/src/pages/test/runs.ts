/** What invocations came to, newest first; for each function as long as the page is open. */

import type { Outcome, Way } from "../../api/invoke";
import type { Problem } from "../../api/errors";
import { type Report, reportOf } from "./report";

export interface Run {
  readonly id: number;
  readonly way: Way;
  readonly at: Date;
  /** As the browser saw it. Milliseconds. */
  readonly took: number;
  readonly outcome?: Outcome;
  readonly problem?: Problem;
  readonly report?: Report;
}

export const MOST_RUNS = 20;
export const WAYS: Record<Way, string> = {
  RequestResponse: "Wait for the answer", Stream: "Stream the answer", Event: "Asynchronous", DryRun: "Dry run",
};

const runs = new Map<string, readonly Run[]>();
let last = 0;

export function runsOf(arn: string): readonly Run[] {
  return runs.get(arn) ?? [];
}

export function keepRun(arn: string, run: Omit<Run, "id" | "report">): readonly Run[] {
  const report = run.outcome && reportOf(run.outcome.log);
  const kept = [{ ...run, id: ++last, report }, ...runsOf(arn)].slice(0, MOST_RUNS);
  runs.set(arn, kept);
  return kept;
}

/** What became of it, in a few words. */
export function verdict({ way, outcome, problem }: Run): { good: boolean; text: string } {
  if (problem) return { good: false, text: problem.code ?? "No answer" };
  if (outcome?.functionError) return { good: false, text: `Function error: ${outcome.functionError}` };
  if (way === "Event") return { good: true, text: "Accepted" };
  if (way === "DryRun") return { good: true, text: "Would be run" };
  return { good: true, text: "Succeeded" };
}

/** JSON is indented, anything else is left as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
