import { expect, it } from "vitest";
import { isChanged, leaving } from "./leaving";

it("knows a draft that somebody changed", () => {
  const start = { memory: "128", tags: [] as string[] };
  expect(isChanged(start, start)).toBe(false);
  expect(isChanged(start, { ...start, memory: "128" })).toBe(false);
  expect(isChanged(start, { ...start, memory: "256" })).toBe(true);
  expect(isChanged<{ memory: string; upload?: string }>({ memory: "128" }, { memory: "128", upload: "a.zip" })).toBe(true);
});

it("goes at once where nothing is lost", () => {
  let gone = 0;
  leaving(() => gone++);
  expect(gone).toBe(1);
});
