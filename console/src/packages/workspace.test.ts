import { describe, expect, it } from "vitest";
import { EXECUTABLE, textFile } from "./files";
import { changes, deployedAs, edited, opened, removed, renameProblem, renamed, uploaded } from "./workspace";

const START = opened([textFile("a.py", "a"), textFile("lib/b.py", "b"), textFile("lib/c.py", "c"), textFile("run", "#!/bin/sh\n")]);
const told = (workspace: Parameters<typeof changes>[0]) => Object.fromEntries(changes(workspace));

describe("a workspace", () => {
  it("knows what is not deployed", () => {
    let now = edited(START, "a.py", "other");
    now = edited(now, "new.py", "");
    now = removed(now, "lib/b.py");
    expect(told(now)).toEqual({ "a.py": "changed", "new.py": "added", "lib/b.py": "deleted" });
  });

  it("has no change where one was taken back", () => {
    expect(told(edited(edited(START, "a.py", "other"), "a.py", "a"))).toEqual({});
    expect(told(uploaded(removed(START, "a.py"), "a.py", new TextEncoder().encode("a")))).toEqual({});
    expect(told(renamed(renamed(START, "lib", "other"), "other", "lib"))).toEqual({});
  });

  it("keeps permissions", () => {
    expect(edited(START, "run", "echo").files.get("run")?.mode).toBe(EXECUTABLE);
    expect(renamed(START, "run", "bin/run").files.get("bin/run")?.mode).toBe(EXECUTABLE);
  });

  it("renames and removes folders with what is in them, and nothing beside", () => {
    const start = edited(START, "library.py", "");
    expect([...renamed(start, "lib", "a/lib").files.keys()].sort()).toEqual(["a.py", "a/lib/b.py", "a/lib/c.py", "library.py", "run"]);
    expect([...removed(start, "lib").files.keys()].sort()).toEqual(["a.py", "library.py", "run"]);
  });

  it("does not rename onto what is there", () => {
    expect(renameProblem(START, "a.py", "lib/b.py")).toBeTypeOf("string");
    expect(renameProblem(START, "a.py", "a.py")).toBeUndefined();
    expect(renameProblem(START, "lib", "library")).toBeUndefined();
  });

  it("has what was typed during a deployment as not deployed", () => {
    const sent = edited(START, "a.py", "sent");
    expect(told(deployedAs(edited(sent, "a.py", "later"), sent.files))).toEqual({ "a.py": "changed" });
    expect(told(deployedAs(sent, sent.files))).toEqual({});
  });
});
