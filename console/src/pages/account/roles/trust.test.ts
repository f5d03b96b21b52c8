import { expect, it } from "vitest";
import { trustedBy } from "../../../api/iam/document";
import { trustOf } from "./trust";

it("lets in what was chosen", () => {
  expect(trustedBy(trustOf("lambda", "111111111111"))).toEqual(["lambda.amazonaws.com"]);
  expect(trustedBy(trustOf("account", "111111111111"))).toEqual(["account 111111111111"]);
});
