import { describe, expect, it } from "vitest";
import { type Line, lineOf } from "./lines";
import { type Shown, requestsOf, rowsOf } from "./requests";

/** Lines of streams: `stream: message`. */
function log(...texts: string[]): Line[] {
  return texts.map((text, index) => {
    const [stream = "", message = ""] = text.split(/: (.*)/s);
    return lineOf({ id: `${index}`, at: index, stream, message });
  });
}

const START = (id: string) => `START RequestId: ${id} Version: 1`;
const REPORT = (id: string) => `REPORT RequestId: ${id}\tDuration: 2 ms\tInit Duration: 3 ms\t`;

describe("a line's request", () => {
  it("is the one that is open in its stream", () => {
    expect(requestsOf(log(
      "a: INIT_START Runtime", "a: loading", `a: ${START("1")}`, `b: ${START("2")}`, "a: of one", "b: of two", "a: END RequestId: 1",
      `a: ${REPORT("1")}`, "a: between", `a: ${START("3")}`, "a: of three", `b: ${REPORT("2")}`,
    ))).toEqual(["1", "1", "1", "2", "1", "2", "1", "1", undefined, "3", "3", "2"]);
  });

  it("is what it says itself, above all", () => {
    expect(requestsOf(log(`a: ${START("1")}`, 'a: {"requestId": "9", "message": "late"}', "a: plain"))).toEqual(["1", "9", "1"]);
  });

  it("is found where the log begins within it", () => {
    expect(requestsOf(log("a: plain", "a: END RequestId: 1", `a: ${REPORT("1")}`, "a: after"))).toEqual(["1", "1", "1", undefined]);
  });

  it("ends where the environment begins anew", () => {
    expect(requestsOf(log(`a: ${START("1")}`, "a: INIT_START again", "a: loading", `a: ${START("2")}`))).toEqual(["1", "2", "2", "2"]);
  });
});

describe("rows", () => {
  const shown: Shown = { least: "TRACE", grouped: false, folded: new Set() };
  const lines = log(`f[7]a: ${START("1")}`, `f[7]b: ${START("2")}`, "f[7]a: [ERROR] no", "f[7]b: fine", `f[7]a: ${REPORT("1")}`, `f[7]b: ${REPORT("2")}`);

  it("are lines in their order, of a level at least", () => {
    expect(rowsOf(lines, shown).map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(rowsOf(lines, { ...shown, least: "ERROR" })).toMatchObject([{ kind: "line", request: "1", line: { text: "[ERROR] no" } }]);
  });

  it("are lines by request", () => {
    const rows = rowsOf(lines, { ...shown, grouped: true });
    expect(rows.map((row) => (row.kind === "group" ? row.group.request : row.id))).toEqual(["1", "0", "2", "4", "2", "1", "3", "5"]);
    expect(rows[0]).toMatchObject({ group: { version: "7", lines: 3, failed: true, report: { duration: 2, init: 3 } } });
    expect(rows[4]).toMatchObject({ group: { failed: false } });
  });

  it("of a folded request are its head, and none of one without lines of the level", () => {
    const rows = rowsOf(lines, { least: "WARN", grouped: true, folded: new Set(["f[7]a 1"]) });
    expect(rows).toMatchObject([{ kind: "group", folded: true, group: { lines: 3 } }]);
  });
});
