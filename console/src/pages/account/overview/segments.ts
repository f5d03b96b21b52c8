/** The pool of concurrency as parts of a bar. Pure. */

import type { FunctionConcurrency, Pool } from "../../../api/pool";

export interface Segment {
  readonly name: string;
  /** Absent for what is left to the functions without a claim. */
  readonly functionName?: string;
  readonly size: number;
  readonly used: number;
  /** Percents: of the whole bar, and of this part. */
  readonly share: number;
  readonly filled: number;
}

export const UNRESERVED = "Unreserved";

/** The largest first, and in the end what nobody claimed. */
export function segmentsOf({ Limit, Unreserved, UnreservedInUse, Functions }: Pool): Segment[] {
  const parts = Functions.map((each) => ({ name: each.FunctionName, functionName: each.FunctionName, size: claimOf(each), used: each.InUse }))
    .filter(({ size }) => size > 0)
    .sort((one, other) => other.size - one.size || one.name.localeCompare(other.name));
  const all = [...parts, { name: UNRESERVED, size: Unreserved, used: UnreservedInUse }];
  return all.map((part) => ({ ...part, share: percent(part.size, Limit), filled: percent(part.used, part.size) }));
}

/** What a function takes out of the pool: its reserve, or else what is provisioned for it. */
export function claimOf({ Reserved, Provisioned }: FunctionConcurrency): number {
  return Reserved ?? Provisioned.reduce((sum, { Requested }) => sum + Requested, 0);
}

/** "200 reserved", "5 provisioned": of a claim, by what it is. */
export function claimText(found: FunctionConcurrency): string {
  const { Reserved, Provisioned } = found;
  const provisioned = Provisioned.map(({ Version, Requested, Available }) => `${Available} of ${Requested} provisioned for version ${Version}`);
  return [...(Reserved === undefined ? [] : [`${Reserved} reserved`]), ...provisioned].join(", ") || "-";
}

function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, (100 * part) / whole);
}
