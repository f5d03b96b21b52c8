import { expect, it } from "vitest";
import { reportOf } from "./report";

const TEXT = "REPORT RequestId: 1\tDuration: 12.5 ms\tBilled Duration: 76 ms\tMemory Size: 128 MB\tMax Memory Used: 9 MB\tInit Duration: 62.9 ms\t";

it("reads the line of text", () => {
  const found = { duration: 12.5, billed: 76, memory: 128, used: 9, init: 62.9 };
  expect(reportOf(`START RequestId: 1\nREPORT nonsense\n${TEXT}\n`)).toEqual(found);
  expect(reportOf(`${TEXT}\n${TEXT.replace("12.5", "13")}\n`)).toEqual({ ...found, duration: 13 });
});

it("reads the record", () => {
  const record = { type: "platform.report", record: { metrics: { durationMs: 1.5, billedDurationMs: 2, memorySizeMB: 128, maxMemoryUsedMB: 9 } } };
  expect(reportOf(`{"level": "INFO"}\n${JSON.stringify(record)}`)).toEqual({ duration: 1.5, billed: 2, memory: 128, used: 9 });
  expect(reportOf('{"platform.report')).toBeUndefined();
  expect(reportOf('{"type": "other", "message": "platform.report"}')).toBeUndefined();
});

it("says that there is none", () => {
  expect(reportOf("a line\nanother")).toBeUndefined();
});
