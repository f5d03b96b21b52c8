import { expect, it } from "vitest";
import { partsOf } from "./split";

const SHARES = new Map([["2", 0.75], ["3", 0.25]]);

it("says what each version's share was, also of one that the alias left", () => {
  expect(partsOf(SHARES, new Map([["1", 5], ["2", 15], ["4", 0]]))).toEqual([
    { version: "2", set: 0.75, count: 15, measured: 0.75 }, { version: "3", set: 0.25, count: 0, measured: 0 },
    { version: "1", set: undefined, count: 5, measured: 0.25 },
  ]);
});

it("says no share of nothing", () => {
  expect(partsOf(SHARES, new Map()).map(({ measured }) => measured)).toEqual([undefined, undefined]);
});
