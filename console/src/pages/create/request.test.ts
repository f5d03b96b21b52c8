import { describe, expect, it } from "vitest";
import { BLUEPRINTS, RUNTIMES, starter } from "./blueprints";
import { type Form, LARGEST_UPLOAD, problemsOf } from "./request";

const GOOD: Form = {
  start: "scratch", name: "hello", blueprint: "hello-python", runtime: "python3.13", handler: "a.b", roleFrom: "new", role: "", description: "",
};

describe("a new function", () => {
  it("may be as the API has it", () => {
    expect(problemsOf(GOOD, undefined, 0)).toEqual({});
    expect(problemsOf({ ...GOOD, roleFrom: "given", role: "arn:aws:iam::000000000000:role/service-role/x" }, undefined, 0)).toEqual({});
  });

  it.each(["", "a b", "é", "x".repeat(65), "a.b"])("is not named %j", (name) => {
    expect(problemsOf({ ...GOOD, name }, undefined, 0)).toHaveProperty("name");
  });

  it("has a role, a handler and code", () => {
    expect(problemsOf({ ...GOOD, roleFrom: "given", role: "hello" }, undefined, 0)).toHaveProperty("role");
    expect(problemsOf({ ...GOOD, handler: "" }, undefined, 0)).toHaveProperty("handler");
    expect(problemsOf({ ...GOOD, start: "upload" }, undefined, 0)).toHaveProperty("upload");
    expect(problemsOf({ ...GOOD, start: "upload" }, { files: [] }, LARGEST_UPLOAD + 1)).toHaveProperty("upload");
  });
});

describe("blueprints", () => {
  it.each(BLUEPRINTS)("$id has the file of its handler, and runtimes that can be chosen", ({ handler, files, runtimes }) => {
    expect(files.map(({ path }) => path.replace(/\.\w+$/, ""))).toContain(handler.split(".")[0]);
    expect(RUNTIMES).toEqual(expect.arrayContaining([...runtimes]));
  });

  it("begin functions of their languages", () => {
    expect(starter("python3.11")?.id).toBe("hello-python");
    expect(starter("nodejs20.x")?.id).toBe("hello-node");
    expect(starter("provided.al2023")?.id).toBe("custom");
    expect(starter("java21")).toBeUndefined();
  });
});
