import { describe, expect, it } from "vitest";
import { DEFAULT, type Range, momentsOf, periodInWords, queryOf, rangeOf, rangeProblem, spanOf } from "./range";

const NOW = new Date("2026-03-01T12:00:30.500Z");
const seconds = (text: string) => Date.parse(text) / 1000;

describe("a range", () => {
  const ranges: Range[] = [
    { kind: "last", amount: 12, unit: "hour" }, { kind: "last", amount: 1, unit: "week" },
    { kind: "fixed", from: new Date("2026-02-01T00:00:00Z"), to: new Date("2026-02-02T00:00:01Z") },
  ];
  it.each(ranges)("is read back from its address: $kind", (range) => {
    const query = new URLSearchParams(Object.entries(queryOf(range)).filter((pair): pair is [string, string] => pair[1] !== undefined));
    expect(rangeOf(query)).toEqual(range);
  });

  it.each(["", "range=3", "range=0h", "range=3y", "from=2026-01-01", "from=2026-01-02&to=2026-01-01", "from=x&to=y"])("is the usual one for ?%s", (query) => {
    expect(rangeOf(new URLSearchParams(query))).toEqual(DEFAULT);
  });

  it("begins at a whole period, with as many as can be told apart", () => {
    const last = (amount: number, unit: "minute" | "hour" | "day" | "week") => spanOf({ kind: "last", amount, unit }, NOW);
    expect(last(1, "hour")).toEqual({ start: seconds("2026-03-01T11:00:00Z"), end: seconds("2026-03-01T12:00:31Z"), period: 60 });
    expect([last(3, "hour"), last(12, "hour"), last(1, "day"), last(1, "week"), last(15, "day")].map(({ period }) => period)).toEqual([60, 300, 900, 3600, 10800]);
    for (const [amount, unit] of [[1, "minute"], [1, "hour"], [1, "week"]] as const) expect(momentsOf(last(amount, unit)).length).toBeLessThanOrEqual(202);
  });

  it("has a moment for each of its periods", () => {
    expect(momentsOf({ start: 60, end: 200, period: 60 })).toEqual([60, 120, 180]);
    expect(momentsOf({ start: 60, end: 180, period: 60 })).toEqual([60, 120]);
  });

  it("is judged in words", () => {
    expect(rangeProblem({ kind: "last", amount: Number.NaN, unit: "day" })).toMatch(/whole number/);
    expect(rangeProblem({ kind: "last", amount: 16, unit: "day" })).toMatch(/15 days/);
    expect(rangeProblem({ kind: "fixed", from: NOW, to: NOW })).toMatch(/before the end/);
    expect(rangeProblem({ kind: "fixed", from: new Date(""), to: NOW })).toMatch(/needed/);
    expect(rangeProblem(DEFAULT)).toBeUndefined();
  });

  it("has periods in words", () => {
    expect([60, 300, 3600, 86400].map(periodInWords)).toEqual(["1 minute", "5 minutes", "1 hour", "1 day"]);
  });
});
