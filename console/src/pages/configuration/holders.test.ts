import { expect, it } from "vitest";
import { ITSELF, arnOf, holderOf, holdersOf } from "./holders";

const ARN = "arn:aws:lambda:us-east-1:000000000000:function:f";

it("has policies of the function, its aliases and its versions, the latest first", () => {
  const holders = holdersOf(["live"], ["$LATEST", "1", "2"]);
  expect(holders.map(({ title }) => title)).toEqual(["The function itself", "Alias live", "Version 2", "Version 1"]);
  expect(holders.map((holder) => arnOf(`${ARN}:7`, holder))).toEqual([ARN, `${ARN}:live`, `${ARN}:2`, `${ARN}:1`]);
});

it("is known by its qualifier", () => {
  expect(holderOf(undefined)).toBe(ITSELF);
  for (const holder of holdersOf(["live"], ["1"])) expect(holderOf(holder.qualifier)).toEqual(holder);
});
