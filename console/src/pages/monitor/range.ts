/** The range of time that graphs show: how addresses have it, and which moments and period it comes to. Pure. */

export type Unit = "minute" | "hour" | "day" | "week";

export type Range =
  | { readonly kind: "last"; readonly amount: number; readonly unit: Unit }
  | { readonly kind: "fixed"; readonly from: Date; readonly to: Date };

/** Moments in epoch seconds, `end` excluded; `period` in seconds. The start is at a whole period, as the API counts them. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly period: number;
}

export const SECONDS: Record<Unit, number> = { minute: 60, hour: 3600, day: 86400, week: 604800 };
const LETTERS: Record<string, Unit> = { m: "minute", h: "hour", d: "day", w: "week" };
export const DEFAULT: Range = { kind: "last", amount: 3, unit: "hour" };
const PERIODS = [60, 300, 900, 3600, 10800, 21600, 86400];
/** Points that a graph can show apart. */
const MOST_POINTS = 200;
/** As long as values are kept. */
export const KEPT_DAYS = 15;

export function rangeOf(query: URLSearchParams): Range {
  const from = moment(query.get("from")), to = moment(query.get("to"));
  if (from && to && from < to) return { kind: "fixed", from, to };
  const [, amount, letter] = /^([1-9][0-9]{0,3})([mhdw])$/.exec(query.get("range") ?? "") ?? [];
  return letter === undefined ? DEFAULT : { kind: "last", amount: Number(amount), unit: LETTERS[letter]! };
}

/** The members of a query that have the range. */
export function queryOf(range: Range): { range?: string; from?: string; to?: string } {
  if (range.kind === "fixed") return { range: undefined, from: range.from.toISOString(), to: range.to.toISOString() };
  return { range: `${range.amount}${range.unit[0]}`, from: undefined, to: undefined };
}

export function spanOf(range: Range, now: Date): Span {
  const end = Math.ceil((range.kind === "fixed" ? range.to : now).getTime() / 1000);
  const start = range.kind === "fixed" ? Math.floor(range.from.getTime() / 1000) : end - range.amount * SECONDS[range.unit];
  const period = PERIODS.find((each) => (end - start) / each <= MOST_POINTS) ?? PERIODS.at(-1)!;
  return { start: Math.floor(start / period) * period, end, period };
}

/** The start of each period. */
export function momentsOf({ start, end, period }: Span): number[] {
  return Array.from({ length: Math.ceil((end - start) / period) }, (_, index) => start + index * period);
}

export function periodInWords(seconds: number): string {
  const [unit, length] = ([["day", 86400], ["hour", 3600], ["minute", 60]] as const).find(([, each]) => seconds >= each) ?? ["second", 1];
  const count = seconds / length;
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

/** What is wrong with a range of the past. */
export function rangeProblem(range: Range): string | undefined {
  const longest = KEPT_DAYS * 86400;
  if (range.kind === "fixed") {
    if (Number.isNaN(range.from.getTime()) || Number.isNaN(range.to.getTime())) return "A start and an end are needed.";
    if (range.from >= range.to) return "The start has to be before the end.";
    return undefined;
  }
  if (!(range.amount >= 1)) return "A whole number from 1 on.";
  return range.amount * SECONDS[range.unit] > longest ? `Figures are kept for ${KEPT_DAYS} days.` : undefined;
}

function moment(text: string | null): Date | undefined {
  const found = new Date(text ?? "");
  return Number.isNaN(found.getTime()) ? undefined : found;
}
