import { expect, it } from "vitest";
import { sharesOf, widths } from "./pool";

const provisioned = (requested: number) => ({ qualifier: "1", requested, allocated: 0, available: 0, status: "READY" as const });

it("divides a pool: a reserve counts as a whole, and provisioned environments where there is none", () => {
  expect(sharesOf({ limit: 1000, unreserved: 700 }, 100, [provisioned(5)])).toEqual({
    own: 100, others: 200, unreserved: 700, limit: 1000, most: 700,
  });
  expect(sharesOf({ limit: 1000, unreserved: 700 }, undefined, [provisioned(5), provisioned(2)])).toMatchObject({ own: 7, others: 293 });
  expect(sharesOf({ limit: 50, unreserved: 50 }, undefined, [])).toMatchObject({ own: 0, others: 0, most: 0 });
});

it("keeps small parts visible within the whole", () => {
  expect(widths([1, 0, 9999])).toEqual([expect.closeTo(0.99, 1), 0, expect.closeTo(99.0, 1)]);
  expect(widths([0, 0, 0])).toEqual([0, 0, 0]);
});
