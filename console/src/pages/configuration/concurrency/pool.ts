/** How an account's pool of concurrency is divided, from the sight of one function. Pure. Source: the API's rules. */

import type { Provisioned } from "../../../api/concurrency";

/** What must stay unreserved, or all of a smaller pool. */
const MINIMUM = 100;

/** Of an account in a region. */
export interface Limits {
  readonly limit: number;
  readonly unreserved: number;
}

export interface Shares {
  /** What the function takes out of the pool: its reserve, or without one what it has provisioned. */
  readonly own: number;
  readonly others: number;
  readonly unreserved: number;
  readonly limit: number;
  /** The most that the function may reserve. */
  readonly most: number;
}

export function sharesOf({ limit, unreserved }: Limits, reserved: number | undefined, provisioned: readonly Provisioned[]): Shares {
  const own = reserved ?? provisioned.reduce((sum, { requested }) => sum + requested, 0);
  const others = Math.max(limit - unreserved - own, 0);
  return { own, others, unreserved, limit, most: Math.max(limit - others - Math.min(MINIMUM, limit), 0) };
}

/** Percent of the whole, each part that is there being visible, and all together at most 100. */
export function widths(parts: readonly number[]): number[] {
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const least = parts.map((part) => (part === 0 ? 0 : Math.max((part / Math.max(whole, 1)) * 100, 1)));
  const sum = Math.max(least.reduce((total, part) => total + part, 0), 1);
  return least.map((part) => (part / sum) * 100);
}
