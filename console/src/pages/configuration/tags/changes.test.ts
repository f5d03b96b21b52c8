import { expect, it } from "vitest";
import { changesOf, problemOfKey } from "./changes";

it("tells what is added or changed, and what is removed", () => {
  expect(changesOf({ same: "1", changed: "1", gone: "1" }, { same: "1", changed: "2", added: "" })).toEqual({
    added: { changed: "2", added: "" }, removed: ["gone"], removeFirst: false,
  });
});

it("makes room first where there is none", () => {
  const full = Object.fromEntries(Array.from({ length: 50 }, (_, number) => [`k${number}`, ""]));
  const { k0: _, ...less } = full;
  expect(changesOf(full, { ...less, other: "" }).removeFirst).toBe(true);
  expect(changesOf(full, { ...full, k0: "changed" }).removeFirst).toBe(false);
});

it("needs keys, each once", () => {
  const rows = [{ key: "a", value: "" }, { key: "a", value: "" }, { key: "", value: "x" }, { key: "b", value: "" }];
  expect(rows.map((_, index) => problemOfKey(rows, index) !== undefined)).toEqual([true, true, true, false]);
});
