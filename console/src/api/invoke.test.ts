import { expect, it } from "vitest";
import { decoded } from "./invoke";

it("reads a log tail as UTF-8", () => {
  expect(decoded("w6kK")).toBe("é\n");
  expect(decoded(undefined)).toBe("");
});
