import { describe, expect, it } from "vitest";
import { filterOf, invocationsOf, passes } from "./invocations";

const event = (id: number, stream: string, message: string) => ({ id: `${id}`, at: id * 10, stream, message });
const report = (request: string, more = "") =>
  `REPORT RequestId: ${request}\tDuration: 2.5 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t${more}\n`;
const json = (request: string, status: string, more: object = {}) =>
  JSON.stringify({ time: "", type: "platform.report", record: { requestId: request, status, metrics: { durationMs: 1, billedDurationMs: 1, memorySizeMB: 128, maxMemoryUsedMB: 9 }, ...more } });

describe("invocations", () => {
  it("are what the log reports, the latest first", () => {
    const found = invocationsOf([event(2, "d/[7]b", report("2")), event(1, "d/[$LATEST]a", report("1", "Init Duration: 9 ms\t"))]);
    expect(found).toEqual([
      { id: "2", at: 20, request: "2", stream: "d/[7]b", version: "7", cold: false, outcome: "succeeded", report: { duration: 2.5, billed: 3, memory: 128, used: 40 } },
      { id: "1", at: 10, request: "1", stream: "d/[$LATEST]a", version: "$LATEST", cold: true, outcome: "succeeded", report: { duration: 2.5, billed: 3, memory: 128, used: 40, init: 9 } },
    ]);
  });

  it("fail as the platform says, or with an error that was not caught in the same environment", () => {
    const found = invocationsOf([
      event(1, "a", "[ERROR] ValueError: no\nTraceback"), event(2, "b", report("1")), event(3, "a", report("2")), event(4, "a", report("3")),
      event(5, "a", report("4", "Status: timeout")), event(6, "a", report("5", "Status: error\tError Type: Runtime.ExitError")),
      event(7, "a", "2026-11-29T00:00:00.000Z\t6\tERROR\tInvoke Error \t{}"), event(8, "a", report("6")),
      event(9, "a", "[ERROR]\t2026-11-29T00:00:00.000Z\t7\tlogged, and went on"), event(10, "a", report("7")),
    ]);
    expect(Object.fromEntries(found.map(({ request, outcome, errorType }) => [request, errorType ?? outcome]))).toEqual({
      1: "succeeded", 2: "error", 3: "succeeded", 4: "timeout", 5: "Runtime.ExitError", 6: "error", 7: "succeeded",
    });
  });

  it("are read off JSON, too", () => {
    const found = invocationsOf([
      event(1, "a", json("1", "success")), event(2, "a", json("2", "timeout")), event(3, "a", json("3", "failure", { errorType: "Runtime.ExitError" })), event(4, "a", json("4", "error")),
      event(5, "a", '{"type":"platform.report"}'), event(6, "a", '{"message":"platform.report"}'), event(7, "a", "they said: REPORT RequestId: 9"),
    ]);
    expect(found.map(({ request, outcome, errorType }) => [request, outcome, errorType])).toEqual([
      ["4", "error", undefined], ["3", "error", "Runtime.ExitError"], ["2", "timeout", undefined], ["1", "succeeded", undefined],
    ]);
  });

  it("are filtered by how they started and ended", () => {
    const all = invocationsOf([event(1, "a", report("1", "Init Duration: 9 ms\t")), event(2, "a", report("2")), event(3, "a", report("3", "Status: timeout"))]);
    const left = (query: string) => all.filter((each) => passes(filterOf(new URLSearchParams(query)), each)).map(({ request }) => request);
    expect([left(""), left("start=cold"), left("start=warm&result=failed"), left("result=succeeded"), left("start=toString")]).toEqual([
      ["3", "2", "1"], ["1"], ["3"], ["2", "1"], ["3", "2", "1"],
    ]);
  });
});
