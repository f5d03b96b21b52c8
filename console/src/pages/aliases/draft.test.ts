import { describe, expect, it } from "vitest";
import { type Draft, draftOf, problemsOf, targetOf } from "./draft";

const DRAFT: Draft = { name: "live", description: "", version: "1", additional: "2", percent: "12.5" };

describe("an alias that is typed", () => {
  it("is what it was made from", () => {
    const alias = { Name: "live", Description: "d", FunctionVersion: "3", RoutingConfig: { AdditionalVersionWeights: { "4": 0.07 } } };
    expect(draftOf(alias)).toEqual({ name: "live", description: "d", version: "3", additional: "4", percent: "7" });
    expect(targetOf(draftOf(alias))).toEqual({ description: "d", version: "3", additional: { version: "4", weight: 0.07 } });
    expect(targetOf(draftOf({ Name: "live", FunctionVersion: "3" }))).toEqual({ description: "", version: "3", additional: undefined });
  });

  it("has shares as the API has them", () => {
    expect(targetOf(DRAFT).additional).toEqual({ version: "2", weight: 0.125 });
    expect(problemsOf(DRAFT)).toEqual({});
  });

  it.each<[Partial<Draft>, keyof Draft]>([
    [{ name: "12" }, "name"], [{ name: "a b" }, "name"], [{ version: "" }, "version"], [{ additional: "1" }, "additional"],
    [{ version: "$LATEST" }, "additional"], [{ percent: "101" }, "percent"], [{ percent: "-1" }, "percent"], [{ percent: "" }, "percent"],
  ])("cannot have %o", (part, field) => {
    expect(Object.keys(problemsOf({ ...DRAFT, ...part }))).toEqual([field]);
  });
});
