import { expect, it } from "vitest";
import { decidedBy } from "./decision";

const record = (...authorization: object[]) => JSON.stringify({ additionalEventData: { authorization } });

it("names the statement that allowed a call", () => {
  const by = { action: "lambda:GetFunction", decision: "allow", policyType: "identity", policy: "p", statement: "1" };
  expect(decidedBy(record(by, by))).toBe("p statement 1 (identity)");
  expect(decidedBy(record(by, { ...by, policy: "q", statement: "Sid" }))).toBe("p statement 1 (identity); q statement Sid (identity)");
});

it("names what denied it, or that nothing allows it", () => {
  const allowed = { action: "a:B", decision: "allow", policy: "p", statement: "1" };
  expect(decidedBy(record(allowed, { action: "a:C", decision: "deny", policy: "arn:aws:iam::000000000000:user/u/q", statement: "No" }))).toBe("user/u/q statement No denies a:C");
  expect(decidedBy(record({ action: "a:C", decision: "deny" }))).toBe("Nothing allows a:C");
});

it("says nothing where nothing was decided", () => {
  expect([decidedBy("{}"), decidedBy("no"), decidedBy(record()), decidedBy(record({ action: "a:B", decision: "allow" }))]).toEqual([undefined, undefined, undefined, undefined]);
});
