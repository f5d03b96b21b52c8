import { expect, it } from "vitest";
import { filterOf, inputOf, queryOf } from "./filter";

const NOW = new Date("2026-01-02T03:04:05Z");
const START = filterOf(new URLSearchParams());

it("begins with the changes of a day", () => {
  expect(inputOf(START, NOW)).toEqual({ StartTime: new Date("2026-01-01T03:04:05Z"), ReadOnly: false });
  expect(Object.values(queryOf(START)).filter(Boolean)).toEqual([]);
});

it("is in the address", () => {
  const filter = { ...START, range: "all", calls: "reads", outcome: "FAILURE", operation: "Get", principal: "a", code: "b" } as const;
  const query = new URLSearchParams(queryOf(filter) as Record<string, string>);
  expect(filterOf(query)).toEqual(filter);
  expect(inputOf(filter, NOW)).toEqual({ ReadOnly: true, Outcome: "FAILURE", EventName: "Get", PrincipalArn: "a", ErrorCode: "b" });
});

it("takes nothing from an address that it does not know", () => {
  expect(filterOf(new URLSearchParams("range=toString&calls=x&outcome=SUCCEEDED"))).toEqual(START);
});
