/** Environments in words. Pure. */

import type { Environment } from "../../../api/environments";
import { size } from "../../../components/format";

export function kindOf({ Provisioned, SnapStart, SnapshotTemplate }: Environment): string {
  if (SnapshotTemplate) return "Snapshot template";
  return [Provisioned ? "Provisioned" : "On demand", SnapStart ? "SnapStart" : undefined].filter(Boolean).join(", ");
}

export function memoryOf({ MemoryUsed, MemorySize }: Environment): string {
  return MemoryUsed === undefined ? `? of ${MemorySize} MB` : `${size(MemoryUsed)} of ${MemorySize} MB`;
}

/** "1 busy, 2 idle". */
export function summary(environments: readonly Environment[]): string {
  const counts = new Map<string, number>();
  for (const { State } of environments) counts.set(State, (counts.get(State) ?? 0) + 1);
  return [...counts].sort().map(([state, count]) => `${count} ${state}`).join(", ");
}
