import { expect, it } from "vitest";
import { differences } from "./compare";
import { EXECUTABLE, textFile } from "./files";
import { opened } from "./workspace";

it("tells which files of two packages differ, and how", () => {
  const before = opened([textFile("same", "1"), textFile("old", "1"), textFile("text", "1"), textFile("run", "1")]).files;
  const after = opened([textFile("same", "1"), textFile("new", "1"), textFile("text", "2"), textFile("run", "1", EXECUTABLE)]).files;
  expect(differences(before, after)).toEqual([
    { path: "new", change: "added" }, { path: "old", change: "removed" }, { path: "run", change: "permissions" }, { path: "text", change: "changed" },
  ]);
  expect(differences(after, after)).toEqual([]);
});
