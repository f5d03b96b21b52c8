/** What every section of the monitor is given, and what they have in common. Pure. */

import type { FunctionConfiguration } from "../../api/functions";

export interface SectionProps {
  readonly found: FunctionConfiguration;
}

/** Seconds between looks that can be chosen; 0 is never. */
export const INTERVALS = [0, 10, 60] as const;

export function intervalOf(query: URLSearchParams): number {
  return INTERVALS.find((each) => `${each}` === query.get("refresh")) ?? 0;
}
