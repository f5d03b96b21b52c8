import { expect, it } from "vitest";
import { documentProblem, documentText, trustedBy } from "./document";

it("reads what IAM answers", () => {
  expect(documentText(encodeURIComponent('{"a":1}'))).toBe('{\n  "a": 1\n}');
  expect(documentText("not%20json")).toBe("not json");
});

it("names whom a trust policy lets in", () => {
  const allow = (Principal: unknown) => ({ Effect: "Allow", Action: "sts:AssumeRole", Principal });
  const document = (...Statement: unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement });
  expect(trustedBy(document(allow({ Service: ["lambda.amazonaws.com", "ec2.amazonaws.com"] }), allow({ Service: "lambda.amazonaws.com" })))).toEqual([
    "lambda.amazonaws.com", "ec2.amazonaws.com",
  ]);
  expect(trustedBy(JSON.stringify({ Statement: allow({ AWS: "arn:aws:iam::000000000000:root" }) }))).toEqual(["account 000000000000"]);
  expect(trustedBy(document(allow("*"), { ...allow("b"), Effect: "Deny" }))).toEqual(["*"]);
  expect(trustedBy("nothing")).toEqual([]);
  expect(trustedBy("[]")).toEqual([]);
});

it("says why a text is no policy", () => {
  expect(documentProblem("{}")).toBeUndefined();
  expect(documentProblem("[]")).toBe("A policy is a JSON object.");
  expect(documentProblem("{")).toMatch(/^The policy is not JSON: /);
});
