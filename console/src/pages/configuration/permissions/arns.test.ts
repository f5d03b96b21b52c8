import { expect, it } from "vitest";
import { accountIn, nameIn } from "./arns";

it("finds a role's name behind its path, and whose it is", () => {
  expect(nameIn("arn:aws:iam::000000000000:role/service-role/hello-role-1")).toBe("hello-role-1");
  expect(nameIn("arn:aws:iam::000000000000:role/r")).toBe("r");
  expect(accountIn("arn:aws:iam::111111111111:role/r")).toBe("111111111111");
});
