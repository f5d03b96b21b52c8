import { expect, it } from "vitest";
import { foldersOf, treeOf } from "./tree";

it("has folders first, each level by name", () => {
  expect(treeOf(["z.py", "a.py", "lib/deep/x", "lib/b", "etc/c"])).toEqual([
    { path: "etc", name: "etc", children: [{ path: "etc/c", name: "c" }] },
    { path: "lib", name: "lib", children: [
      { path: "lib/deep", name: "deep", children: [{ path: "lib/deep/x", name: "x" }] }, { path: "lib/b", name: "b" },
    ] },
    { path: "a.py", name: "a.py" },
    { path: "z.py", name: "z.py" },
  ]);
  expect(foldersOf("a/b/c.py")).toEqual(["a", "a/b"]);
});
