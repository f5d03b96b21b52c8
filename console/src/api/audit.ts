/** The account's audit log, the newest records first. */

import type { Place } from "./clients";
import { type AuditRecord, type Operations, ingle } from "./ingle";

export type { AuditRecord };
export type AuditFilter = Omit<Operations["ListAuditRecords"]["input"], "MaxResults" | "NextToken">;

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  readonly recording: boolean;
  /** Where to go on; absent at the end of the log. */
  readonly next?: string;
}

const ENOUGH = 50;

/** One answer reads a piece of the log and may have few records, or none: as many are read as it takes. */
export async function readAudit(place: Place, filter: AuditFilter, from: string | undefined, signal: AbortSignal): Promise<AuditPage> {
  const records: AuditRecord[] = [];
  let next = from, recording = true;
  do {
    const page = await ingle(place, "ListAuditRecords", { ...filter, MaxResults: ENOUGH, NextToken: next }, signal);
    records.push(...page.Records);
    ({ NextToken: next, Recording: recording } = page);
  } while (next !== undefined && records.length < ENOUGH);
  return { records, recording, next };
}
