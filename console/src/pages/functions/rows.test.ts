import { expect, it } from "vitest";
import { filteringOptions, filteringProperties, rowOf } from "./rows";

const ROWS = [
  rowOf({ FunctionName: "a", Runtime: "python3.13", LastModified: "2026-11-28T12:00:00.500+0000" }, { team: "blue", name: "x" }),
  rowOf({ FunctionName: "b", Runtime: "python3.13" }),
];

it("can be searched by tags, whatever they are called", () => {
  expect(ROWS[0]).toMatchObject({ name: "a", "tag:team": "blue", "tag:name": "x", tagText: "team=blue name=x" });
  expect(filteringProperties(ROWS).map(({ key }) => key)).toEqual(["name", "description", "runtime", "tagText", "tag:name", "tag:team"]);
});

it("proposes each value once", () => {
  expect(filteringOptions(ROWS)).toEqual([
    { propertyKey: "runtime", value: "python3.13" }, { propertyKey: "tag:team", value: "blue" }, { propertyKey: "tag:name", value: "x" },
  ]);
});

it("reads the API's times", () => {
  expect(ROWS[0]!.modified.toISOString()).toBe("2026-11-28T12:00:00.500Z");
});
