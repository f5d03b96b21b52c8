import { expect, it } from "vitest";
import { rowsOf, sharesOf } from "./rows";

it("tells which aliases lead to a version, and how often", () => {
  const aliases = [
    { Name: "live", FunctionVersion: "1", RoutingConfig: { AdditionalVersionWeights: { "2": 0.9 } } }, { Name: "test", FunctionVersion: "2" },
  ];
  const provisioned = new Map([["1", { AllocatedProvisionedConcurrentExecutions: 2 }]]);
  const rows = rowsOf([{ Version: "$LATEST" }, { Version: "1" }, { Version: "2" }], aliases, provisioned);
  expect(rows.map((row) => row.aliases)).toEqual([
    [], [{ alias: "live", share: 0.1 }], [{ alias: "live", share: 0.9 }, { alias: "test", share: 1 }],
  ]);
  expect(rows.map(({ order }) => order)).toEqual([Infinity, 1, 2]);
  expect(rows[1]?.provisioned).toEqual({ AllocatedProvisionedConcurrentExecutions: 2 });
  expect([...sharesOf(aliases[1]!)]).toEqual([["2", 1]]);
});
