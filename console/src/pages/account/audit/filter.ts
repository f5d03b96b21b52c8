/** Which records of the audit log are looked at, as the address has it behind its question mark. Pure. */

import type { AuditFilter } from "../../../api/audit";

const HOUR = 3600_000;

export const RANGES = {
  hour: { title: "Last hour", length: HOUR },
  day: { title: "Last day", length: 24 * HOUR },
  week: { title: "Last week", length: 7 * 24 * HOUR },
  all: { title: "All", length: undefined },
} as const;

export const CALLS = { changes: "Changes", reads: "Reads", all: "All" } as const;
export const OUTCOMES = { all: "All", SUCCESS: "Succeeded", FAILURE: "Failed" } as const;

export interface Filter {
  readonly range: keyof typeof RANGES;
  readonly calls: keyof typeof CALLS;
  readonly outcome: keyof typeof OUTCOMES;
  readonly operation: string;
  readonly principal: string;
  readonly code: string;
}

/** As CloudTrail's list begins, without what only reads. */
const START: Filter = { range: "day", calls: "changes", outcome: "all", operation: "", principal: "", code: "" };

/** What an address has of anybody's making. */
export function filterOf(query: URLSearchParams): Filter {
  const text = (name: keyof Filter) => query.get(name) ?? "";
  return {
    range: known(RANGES, text("range")) ?? START.range,
    calls: known(CALLS, text("calls")) ?? START.calls,
    outcome: known(OUTCOMES, text("outcome")) ?? START.outcome,
    operation: text("operation"), principal: text("principal"), code: text("code"),
  };
}

/** What an address says of it: only what is otherwise than in the beginning. */
export function queryOf(filter: Filter): Record<keyof Filter, string | undefined> {
  const pairs = (Object.keys(START) as (keyof Filter)[]).map((name) => [name, filter[name] === START[name] ? undefined : filter[name]]);
  return Object.fromEntries(pairs);
}

export function inputOf({ range, calls, outcome, operation, principal, code }: Filter, now: Date): AuditFilter {
  const { length } = RANGES[range];
  return {
    StartTime: length === undefined ? undefined : new Date(now.getTime() - length),
    ReadOnly: calls === "all" ? undefined : calls === "reads",
    Outcome: outcome === "all" ? undefined : outcome,
    EventName: operation.trim() || undefined, PrincipalArn: principal.trim() || undefined, ErrorCode: code.trim() || undefined,
  };
}

function known<Name extends string>(names: Readonly<Record<Name, unknown>>, text: string): Name | undefined {
  return Object.hasOwn(names, text) ? (text as Name) : undefined;
}
