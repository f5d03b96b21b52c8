import { expect, it } from "vitest";
import { resourceOptions, resourcesOf, versionsOf } from "./resources";

const FOUND = resourcesOf([
  { FunctionName: "f" }, { FunctionName: "f", Resource: "f" }, { FunctionName: "f", Resource: "f:live" },
  { FunctionName: "f", Resource: "f:live", ExecutedVersion: "10" }, { FunctionName: "f", Resource: "f:live", ExecutedVersion: "9" },
  { FunctionName: "f", Resource: "f:live", ExecutedVersion: "9" }, { FunctionName: "f", Resource: "f:9", ExecutedVersion: "9" },
]);

it("finds the ways a function was called, and the versions that each led to", () => {
  expect([...FOUND.keys()]).toEqual(["f", "f:live", "f:9"]);
  expect(versionsOf(FOUND, "f:live")).toEqual(["9", "10"]);
  expect(versionsOf(FOUND, "f:absent")).toEqual([]);
});

it("names them", () => {
  const labels = (chosen: string) => resourceOptions(FOUND, "f", chosen).map(({ label }) => label);
  expect(labels("")).toEqual(["Unqualified", "Version 9", "Alias live"]);
  expect(labels("f:$LATEST")).toContain("$LATEST, qualified");
  expect(labels("g:1")).toContain("g:1");
});
