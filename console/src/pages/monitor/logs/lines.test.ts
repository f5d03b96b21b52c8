import { describe, expect, it } from "vitest";
import { isAtLeast, isOf, lineOf, unfolded, versionOf } from "./lines";

const told = (message: string) => {
  const { id, at, stream, text, ...rest } = lineOf({ id: "1", at: 1, stream: "s", message });
  return rest;
};
const ID = "a3549e84-eb04-4a7f-a5d7-6d1fdc9a2d06";

describe("a line", () => {
  it.each([
    [`START RequestId: ${ID} Version: $LATEST\n`, { platform: "start", requestId: ID }],
    [`END RequestId: ${ID}\n`, { platform: "end", requestId: ID }],
    [`REPORT RequestId: ${ID}\tDuration: 1 ms\t\n`, { platform: "report", requestId: ID }],
    [`REPORT RequestId: ${ID}\tDuration: 1 ms\tStatus: timeout\n`, { platform: "report", requestId: ID, level: "ERROR" }],
    ["INIT_START Runtime Version: python:3.13.v1\n", { platform: "init" }],
    ["RESTORE_START Runtime Version: x\n", { platform: "init" }],
    ["INIT_REPORT Init Duration: 1 ms\tPhase: init\tStatus: error\tError Type: X\n", { platform: "other", level: "ERROR" }],
    ["EXTENSION\tName: x\tState: Ready\n", { platform: "other" }],
    [`[WARNING]\t2026-11-29T00:28:23.616Z\t${ID}\tcareful\n`, { level: "WARN", requestId: ID }],
    ["[ERROR] ValueError: no good\nTraceback", { level: "ERROR" }],
    [`2026-11-29T00:28:23.616Z\t${ID}\tERROR\tInvoke Error\t{}`, { level: "ERROR", requestId: ID }],
    ["[note] to self", {}],
    ["plain\n", {}],
    [`{"level": "error", "message": "x", "requestId": "${ID}"}`, { level: "ERROR", requestId: ID }],
    [`{"log_level": "CRITICAL", "AWSRequestId": "${ID}"}`, { level: "FATAL", requestId: ID }],
    ['{"level": "loud"}', {}],
    ['{"level": 3, "requestId": 4}', {}],
    ["{not json", {}],
    [`{"type":"platform.start","record":{"requestId":"${ID}","version":"1"}}`, { platform: "start", requestId: ID }],
    [`{"type":"platform.report","record":{"requestId":"${ID}","status":"failure"}}`, { platform: "report", requestId: ID, level: "ERROR" }],
    [`{"type":"platform.runtimeDone","record":{"requestId":"${ID}","status":"success"}}`, { platform: "other", requestId: ID }],
    ['{"type":"platform.initStart","record":{}}', { platform: "init" }],
    ['{"type":"platform.fault","record":"text"}', { platform: "other" }],
  ])("tells of itself: %s", (message, expected) => {
    expect(told(message)).toEqual(expected);
  });

  it("counts as INFO where it does not say its level", () => {
    const plain = lineOf({ id: "1", at: 1, stream: "s", message: "plain" });
    expect([isAtLeast(plain, "DEBUG"), isAtLeast(plain, "INFO"), isAtLeast(plain, "WARN")]).toEqual([true, true, false]);
  });

  it("is unfolded where it is JSON", () => {
    const shown = (message: string) => unfolded(lineOf({ id: "1", at: 1, stream: "s", message }));
    expect(shown('{"a":{"b":1}}\n')).toBe('{\n  "a": {\n    "b": 1\n  }\n}');
    expect(shown("{a}\r\n")).toBe("{a}");
  });
});

it("reads the version and the function off the name of a stream", () => {
  expect(["2026/11/28/[$LATEST]0a", "2026/11/28/f[3]0a", "other"].map(versionOf)).toEqual(["$LATEST", "3", undefined]);
  expect(["2026/11/28/[$LATEST]0a", "2026/11/28/f[3]0a", "2026/11/28/g[3]0a", "other"].map((stream) => isOf("f", stream))).toEqual([true, true, false, true]);
});
