import { expect, it } from "vitest";
import { grantsOf } from "./layers";

it("reads who may use a layer from its policy", () => {
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [
    { Sid: "one", Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: "lambda:GetLayerVersion" },
    { Sid: "all", Effect: "Allow", Principal: "*", Condition: { StringEquals: { "aws:PrincipalOrgID": "o-abcdefghij" } } },
  ] });
  expect(grantsOf(policy)).toEqual([
    { sid: "one", principal: "arn:aws:iam::111122223333:root" }, { sid: "all", principal: "*", organization: "o-abcdefghij" },
  ]);
  expect(grantsOf("{}")).toEqual([]);
});
