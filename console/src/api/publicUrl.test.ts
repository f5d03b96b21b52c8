import { describe, expect, it } from "vitest";
import { missingGrants } from "./publicUrl";

const document = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const URL = {
  Sid: "u", Effect: "Allow", Principal: "*", Action: "lambda:InvokeFunctionUrl",
  Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
};
const INVOKE = {
  Sid: "i", Effect: "Allow", Principal: "*", Action: "lambda:InvokeFunction", Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
};
const missing = (...statements: object[]) => missingGrants(document(...statements)).map(({ StatementId }) => StatementId);

describe("what a policy lacks for a public URL", () => {
  it("is both statements where there is no policy", () => {
    expect(missingGrants(undefined).map(({ StatementId }) => StatementId)).toEqual(["FunctionURLAllowPublicAccess", "FunctionURLInvokeAllowPublicAccess"]);
  });

  it("is nothing where both are there under whatever name", () => {
    expect(missing(URL, INVOKE)).toEqual([]);
    expect(missing({ ...URL, Condition: undefined }, { ...INVOKE, Action: ["lambda:*"] })).toEqual([]);
  });

  it.each([
    ["denies", { ...URL, Effect: "Deny" }],
    ["is for somebody", { ...URL, Principal: { AWS: "arn:aws:iam::000000000000:root" } }],
    ["is for signed requests", { ...URL, Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } } }],
    ["has another condition besides", { ...URL, Condition: { ...URL.Condition, ArnLike: { "AWS:SourceArn": "arn:x" } } }],
  ])("stays where a statement %s", (_, statement) => {
    expect(missing(statement, INVOKE)).toEqual(["FunctionURLAllowPublicAccess"]);
  });

  it("gets a name that is free", () => {
    expect(missing({ ...INVOKE, Sid: "FunctionURLAllowPublicAccess" }, { ...INVOKE, Sid: "FunctionURLAllowPublicAccess-2" }))
      .toEqual(["FunctionURLAllowPublicAccess-3"]);
  });
});
