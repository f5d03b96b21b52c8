import { describe, expect, it } from "vitest";
import { type Draft, EMPTY, check, invokeId, ofKind, permissionsOf } from "./request";

const draft = (part: Partial<Draft>): Draft => ({ ...EMPTY, id: "one", ...part });

describe("a statement that is added by form", () => {
  it("names a service and what it acts for", () => {
    expect(permissionsOf(draft({ sourceArn: " arn:aws:s3:::b ", sourceAccount: "", principal: "left over" }))).toEqual([
      { StatementId: "one", Principal: "s3.amazonaws.com", Action: "lambda:InvokeFunction", SourceArn: "arn:aws:s3:::b" },
    ]);
    expect(permissionsOf(draft({ service: "other", principal: "x.amazonaws.com", token: "t" }))[0]).toMatchObject({ Principal: "x.amazonaws.com" });
    expect(permissionsOf(draft({ service: "alexa", token: "t" }))[0]).toMatchObject({ EventSourceToken: "t" });
  });

  it("names an account", () => {
    expect(permissionsOf(draft({ kind: "account", principal: "111111111111", action: "lambda:GetFunction", organization: "o-1", sourceArn: "left over" })))
      .toEqual([{ StatementId: "one", Principal: "111111111111", Action: "lambda:GetFunction", PrincipalOrgID: "o-1" }]);
  });

  it("is two for a function URL", () => {
    const [url, invoke] = permissionsOf(draft(ofKind("url")));
    expect(url).toEqual({ StatementId: "FunctionURLAllowPublicAccess", Principal: "*", Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: "NONE" });
    expect(invoke).toEqual({ StatementId: "FunctionURLInvokeAllowPublicAccess", Principal: "*", Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true });
    expect(permissionsOf(draft({ kind: "url", authType: "AWS_IAM", principal: "111111111111" })).map(({ Principal, StatementId }) => [Principal, StatementId]))
      .toEqual([["111111111111", "one"], ["111111111111", invokeId("one")]]);
  });

  it("is not sent without a name, or anybody", () => {
    expect(check(EMPTY)).toEqual({ id: "A statement needs an id." });
    expect(Object.keys(check(draft({ kind: "account", action: "" })))).toEqual(["principal", "action"]);
    expect(Object.keys(check(draft({ service: "other" })))).toEqual(["principal"]);
    expect(check(draft({ kind: "url" }))).toEqual({});
  });
});
