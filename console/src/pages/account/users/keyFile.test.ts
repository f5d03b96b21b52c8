import { expect, it } from "vitest";
import { keyFile } from "./keyFile";

it("has a line of names and one of values", () => {
  expect(keyFile({ id: "AKIA", secret: "a/b+c" })).toBe("Access key ID,Secret access key\r\nAKIA,a/b+c\r\n");
});
