import { expect, it } from "vitest";
import type { FunctionConfiguration } from "../../api/functions";
import { settingDifferences } from "./settings";

const BEFORE: FunctionConfiguration = {
  FunctionName: "f", Version: "1", RevisionId: "a", CodeSha256: "x", MemorySize: 128, Description: "", Handler: "a.b",
  Environment: { Variables: { KEY: "old", SAME: "same", GONE: "gone" } }, VpcConfig: { SubnetIds: [], VpcId: "" },
  SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
};

it("tells what is set otherwise, each variable by itself", () => {
  const after: FunctionConfiguration = {
    ...BEFORE, Version: "2", RevisionId: "b", CodeSha256: "y", MemorySize: 256, VpcConfig: undefined, Layers: [{ Arn: "one:1" }, { Arn: "two:1" }],
    Environment: { Variables: { KEY: "new", SAME: "same" } }, SnapStart: { ApplyOn: "None", OptimizationStatus: "On" },
    LoggingConfig: { LogFormat: "JSON" },
  };
  expect(settingDifferences(BEFORE, after)).toEqual([
    { name: "Environment variable GONE", before: "gone", after: undefined, secret: true },
    { name: "Environment variable KEY", before: "old", after: "new", secret: true },
    { name: "Layers", before: undefined, after: "one:1\ntwo:1", secret: false },
    { name: "Log format", before: undefined, after: "JSON", secret: false },
    { name: "Memory (MB)", before: "128", after: "256", secret: false },
  ]);
});

it("has a name for what it does not know", () => {
  const [found] = settingDifferences({}, { TenancyConfig: { TenantIsolationMode: "PER_TENANT" } });
  expect(found?.name).toBe("Tenancy config: Tenant isolation mode");
});

it("finds nothing between a version and itself", () => {
  expect(settingDifferences(BEFORE, { ...BEFORE, Version: "2" })).toEqual([]);
});
