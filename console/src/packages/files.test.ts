import { expect, it } from "vitest";
import { LARGEST_TEXT, contentOf, pathProblem, textFile, withMode } from "./files";

it("shows text, and says why it does not show other files", () => {
  expect(contentOf(textFile("a", "é\r\n"))).toEqual({ kind: "text", text: "é\r\n" });
  expect(contentOf(withMode("a", new Uint8Array([0xff, 0xfe]))).kind).toBe("binary");
  expect(contentOf(withMode("a", new Uint8Array([65, 0]))).kind).toBe("binary");
  expect(contentOf(withMode("a", new Uint8Array(LARGEST_TEXT + 1))).kind).toBe("large");
  expect(contentOf({ ...textFile("a", "b"), mode: 0o120777 }).kind).toBe("link");
});

it.each(["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "a\nb", "taken", "folder", "taken/below"])("refuses the path %j", (path) => {
  expect(pathProblem(path, ["taken", "folder/file"])).toBeTypeOf("string");
});

it.each(["a", "a/b.py", ".env", "folder/other", "taken2"])("accepts the path %j", (path) => {
  expect(pathProblem(path, ["taken", "folder/file"])).toBeUndefined();
});
