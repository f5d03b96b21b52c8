import { expect, it } from "vitest";
import type { FunctionConcurrency, Pool } from "../../../api/pool";
import { claimOf, claimText, segmentsOf } from "./segments";

const provisioned = (Requested: number) => ({ Version: "1", Requested, Allocated: 1, Available: 1, InUse: 0, Status: "READY" }) as const;
const concurrency = (part: Partial<FunctionConcurrency>) => ({ FunctionName: "f", InUse: 0, Provisioned: [], ...part }) as FunctionConcurrency;

it("divides the pool by claims, the largest first", () => {
  const pool: Pool = {
    Limit: 1000, Claimed: 300, Unreserved: 700, InUse: 60, UnreservedInUse: 35,
    Functions: [
      concurrency({ FunctionName: "free", InUse: 35 }), concurrency({ FunctionName: "small", Provisioned: [provisioned(100)] }),
      concurrency({ FunctionName: "large", Reserved: 200, InUse: 25 }),
    ],
  };
  expect(segmentsOf(pool).map(({ name, share, filled }) => [name, share, filled])).toEqual([
    ["large", 20, 12.5], ["small", 10, 0], ["Unreserved", 70, 5],
  ]);
});

it("says what a claim is made of", () => {
  expect([claimOf(concurrency({ Reserved: 5, Provisioned: [provisioned(2)] })), claimOf(concurrency({ Provisioned: [provisioned(2)] }))]).toEqual([5, 2]);
  expect(claimText(concurrency({ Reserved: 5, Provisioned: [provisioned(2)] }))).toBe("5 reserved, 1 of 2 provisioned for version 1");
  expect(claimText(concurrency({}))).toBe("-");
});
