import { describe, expect, it } from "vitest";
import { actionsOf, conditionsOf, prettyDocument, principalsOf, statementsOf } from "./statements";

describe("statements", () => {
  it("are read from a document, and none from anything else", () => {
    expect(statementsOf('{"Statement":{"Sid":"a"}}')).toEqual([{ Sid: "a" }]);
    expect(statementsOf('{"Statement":[{"Sid":"a"},{"Sid":"b"}]}')).toHaveLength(2);
    for (const text of [undefined, "", "{", "[]", "{}"]) expect(statementsOf(text)).toEqual([]);
  });

  it("say whom they are about", () => {
    expect(principalsOf({ Principal: "*" })).toEqual(["Everybody"]);
    expect(principalsOf({ Principal: { Service: "s3.amazonaws.com", AWS: ["arn:1", "*"] } })).toEqual(["s3.amazonaws.com", "arn:1", "Everybody"]);
    expect(principalsOf({ NotPrincipal: { AWS: "arn:1" } })).toEqual(["not arn:1"]);
    expect(principalsOf({})).toEqual([]);
  });

  it("say what they are about", () => {
    expect(actionsOf({ Action: "lambda:InvokeFunction" })).toEqual(["lambda:InvokeFunction"]);
    expect(actionsOf({ NotAction: ["a", "b"] })).toEqual(["all but a", "all but b"]);
  });

  it("say when they hold", () => {
    expect(conditionsOf({ Condition: { ArnLike: { "AWS:SourceArn": "arn:s" }, StringEquals: { x: ["1", "2"] } } }))
      .toEqual(["ArnLike AWS:SourceArn: arn:s", "StringEquals x: 1, 2"]);
    expect(conditionsOf({})).toEqual([]);
  });
});

it("writes documents as people read them", () => {
  expect(prettyDocument('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyDocument("none")).toBe("none");
});
