import { expect, it } from "vitest";
import { eventProblem, parsed, withEvent } from "./events";
import { TEMPLATES } from "./templates";

it("has the last one of a name", () => {
  const events = withEvent([{ name: "b", body: "1" }], { name: "a", body: "2" });
  expect(events.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(withEvent(events, { name: "b", body: "3" })).toEqual([{ name: "a", body: "2" }, { name: "b", body: "3" }]);
});

it("takes nothing else from the browser's storage", () => {
  for (const text of [null, "", "{", "{}", "[1, null]", '[{"name": 1, "body": "x"}]']) expect(parsed(text)).toEqual([]);
  expect(parsed('[{"name": "a", "body": "{}"}]')).toEqual([{ name: "a", body: "{}" }]);
});

it("tells what is not JSON", () => {
  expect(eventProblem("{")).toMatch(/^The event is not JSON/);
  expect(eventProblem('"text"')).toBeUndefined();
  expect(eventProblem("")).toBeUndefined();
});

it.each(TEMPLATES)("has a template that is JSON: $id", ({ event }) => {
  expect(eventProblem(event)).toBeUndefined();
});
