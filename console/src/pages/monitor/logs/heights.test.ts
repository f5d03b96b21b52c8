import { expect, it } from "vitest";
import { ROW, inSight, rowAt, topsOf } from "./heights";

const ids = Array.from({ length: 1000 }, (_, index) => `${index}`);

it("finds rows by their height", () => {
  const tops = topsOf(ids, new Map([["1", 100]]));
  expect([...tops.slice(0, 4)]).toEqual([0, ROW, ROW + 100, 2 * ROW + 100]);
  expect([0, ROW - 1, ROW, ROW + 99, ROW + 100, 1e9].map((y) => rowAt(tops, y))).toEqual([0, 0, 1, 1, 2, 999]);
});

it("has few rows in sight", () => {
  const tops = topsOf(ids, new Map());
  expect(inSight(tops, 0, 10 * ROW, 2)).toEqual([0, 13]);
  expect(inSight(tops, 500 * ROW, 10 * ROW, 2)).toEqual([498, 513]);
  expect(inSight(tops, 1e9, 10 * ROW, 2)).toEqual([997, 1000]);
  expect(inSight(topsOf([], new Map()), 0, 100)).toEqual([0, 0]);
});
