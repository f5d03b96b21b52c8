import { describe, expect, it } from "vitest";
import { asMap, asVariables, bytesOf, keyProblem, merged } from "./variables";

describe("environment variables", () => {
  it("are sorted, and sent without rows that nobody filled in", () => {
    expect(asVariables({ b: "2", a: "1" })).toEqual([{ key: "a", value: "1" }, { key: "b", value: "2" }]);
    expect(asMap([{ key: "a", value: "" }, { key: "", value: "" }])).toEqual({ a: "" });
  });

  it("are measured in UTF-8, with quotes and escapes", () => {
    expect([bytesOf([]), bytesOf([{ key: "ab", value: "é\n" }])]).toEqual([2, '{"ab":"éx\\n"}'.length]);
  });

  it.each([
    ["", "value", /Give a key/], ["", "", undefined], ["a", "", /Two or more/], ["_a", "", /first is a letter/],
    ["same", "", /more than once/], ["other", "", undefined],
  ])("have a key that is judged: %j", (key, value, told) => {
    const problem = keyProblem([{ key: "same", value: "" }, { key, value }], 1);
    if (told === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(told);
  });

  it("are replaced by others of the same key, and else follow", () => {
    expect(merged([{ key: "a", value: "1" }, { key: "", value: "" }], [{ key: "b", value: "2" }, { key: "a", value: "3" }]))
      .toEqual([{ key: "a", value: "3" }, { key: "b", value: "2" }]);
  });
});
