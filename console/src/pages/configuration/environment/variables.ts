/** Environment variables as they are edited. Pure. Sources of rules: the API's pattern of keys, and its limit of 4 KB. */

import type { Pair } from "../../../components/PairsEditor";

export type Variable = Pair;

/** Bytes of all variables together. */
export const MOST_BYTES = 4096;

export function asVariables(map: Readonly<Record<string, string>> = {}): Variable[] {
  return Object.entries(map).map(([key, value]) => ({ key, value })).sort((one, other) => (one.key < other.key ? -1 : 1));
}

/** Rows that nobody filled in are none. */
export function filledIn(rows: readonly Variable[]): Variable[] {
  return rows.filter(({ key, value }) => key !== "" || value !== "");
}

export function asMap(rows: readonly Variable[]): Record<string, string> {
  return Object.fromEntries(filledIn(rows).map(({ key, value }) => [key, value]));
}

/** As the API measures them. */
export function bytesOf(rows: readonly Variable[]): number {
  return new TextEncoder().encode(JSON.stringify(asMap(rows))).length;
}

/** What is wrong with a key among all: what the API cannot be sent, or answers with its pattern only. */
export function keyProblem(rows: readonly Variable[], index: number): string | undefined {
  const { key, value } = rows[index]!;
  if (key === "") return value === "" ? undefined : "Give a key.";
  if (!/^[a-zA-Z][a-zA-Z0-9_]+$/.test(key)) return "Two or more letters, digits and underscores; the first is a letter.";
  return rows.some((row, other) => other !== index && row.key === key) ? `${key} is there more than once.` : undefined;
}

/** `rows` with others: in the place of those with the same key, else behind them. */
export function merged(rows: readonly Variable[], others: readonly Variable[]): Variable[] {
  const values = new Map(filledIn(rows).map((row) => [row.key, row]));
  for (const row of others) values.set(row.key, row);
  return [...values.values()];
}
