import { expect, it } from "vitest";
import type { Environment } from "../../../api/environments";
import { kindOf, memoryOf, summary } from "./shown";

const environment = (part: Partial<Environment>) => ({ State: "idle", MemorySize: 128, ...part }) as Environment;

it("tells what an environment is", () => {
  expect(kindOf(environment({}))).toBe("On demand");
  expect(kindOf(environment({ Provisioned: true, SnapStart: true }))).toBe("Provisioned, SnapStart");
  expect(kindOf(environment({ SnapshotTemplate: true }))).toBe("Snapshot template");
  expect(memoryOf(environment({ MemoryUsed: 3 << 20 }))).toBe("3.0 MB of 128 MB");
  expect(memoryOf(environment({}))).toBe("? of 128 MB");
});

it("counts states", () => {
  expect(summary([])).toBe("");
  expect(summary([environment({}), environment({ State: "busy" }), environment({})])).toBe("1 busy, 2 idle");
});
