import { expect, it } from "vitest";
import { roleName } from "./roles";

it("names a role after its function, within 64 characters", () => {
  const random = new Uint8Array([0, 1, 254, 255]);
  expect(roleName("hello", random)).toBe("hello-role-0001feff");
  expect(roleName("x".repeat(64), random)).toHaveLength(64);
});
