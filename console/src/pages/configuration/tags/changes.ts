/** From the tags that something has to those that it is to have. Pure. Source of the limit: the API. */

import type { Tags } from "../../../api/tags";
import type { Pair } from "../../../components/PairsEditor";

export const MOST_TAGS = 50;

export interface TagChanges {
  readonly added: Tags;
  readonly removed: readonly string[];
  /** Whether there is no room for what is added before something is removed. */
  readonly removeFirst: boolean;
}

export function changesOf(before: Tags, after: Tags): TagChanges {
  const added = Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value));
  const removed = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const together = new Set([...Object.keys(before), ...Object.keys(added)]);
  return { added, removed, removeFirst: together.size > MOST_TAGS };
}

/** What is wrong with a key among all, that cannot be sent. The API judges the rest. */
export function problemOfKey(rows: readonly Pair[], index: number): string | undefined {
  const { key } = rows[index]!;
  if (key === "") return "Give a key, or remove the row.";
  return rows.some((row, other) => other !== index && row.key === key) ? `${key} is there more than once.` : undefined;
}
