import { describe, expect, it } from "vitest";
import { parsed } from "./arns";
import { addProblem, misfit } from "./attached";

const arn = (name: string, version: number) => `arn:aws:lambda:us-east-1:000000000000:layer:${name}:${version}`;

describe("layers that are attached", () => {
  it("are named by their versions' ARNs", () => {
    expect(parsed(arn("one", 12))).toEqual({ account: "000000000000", name: "one", version: 12 });
    expect(parsed("arn:aws:lambda:us-east-1:000000000000:layer:one")).toBeUndefined();
  });

  it("are five, of different layers", () => {
    expect(addProblem([arn("one", 1)], arn("other", 1))).toBeUndefined();
    expect(addProblem([arn("one", 1)], arn("one", 2))).toMatch(/attached already/);
    expect(addProblem([], "one:1")).toMatch(/Give the ARN/);
    expect(addProblem(["a", "b", "c", "d", "e"].map((name) => arn(name, 1)), arn("f", 1))).toMatch(/at most 5/);
  });

  it("say what they are for", () => {
    expect(misfit({}, "python3.12", "x86_64")).toBeUndefined();
    expect(misfit({ CompatibleRuntimes: ["python3.12"], CompatibleArchitectures: ["arm64"] }, "python3.12", "x86_64")).toBe("not said to be for x86_64");
    expect(misfit({ CompatibleRuntimes: ["ruby3.4"] }, "python3.12", "x86_64")).toBe("not said to be for python3.12");
  });
});
