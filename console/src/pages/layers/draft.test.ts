import { expect, it } from "vitest";
import { type Draft, problemsOf } from "./draft";

const DRAFT: Draft = { name: "one", description: "", zip: new Uint8Array(1), runtimes: [], architectures: [], license: "" };

it("tells what a layer lacks", () => {
  expect(problemsOf(DRAFT)).toEqual({});
  expect(Object.keys(problemsOf({ ...DRAFT, name: "a b", zip: undefined }))).toEqual(["name", "upload"]);
  expect(Object.keys(problemsOf({ ...DRAFT, zip: new Uint8Array(51 << 20) }))).toEqual(["upload"]);
  expect(Object.keys(problemsOf({ ...DRAFT, runtimes: Array.from({ length: 16 }, (_, each) => `r${each}`) }))).toEqual(["runtimes"]);
});
