import { describe, expect, it } from "vitest";
import { GRAPHS, type Graph, draw, figures, queriesOf, shown, versionGraphs } from "./graphs";

const SPAN = { start: 60, end: 240, period: 60 };
const of = (title: string): Graph => GRAPHS.find((graph) => graph.title === title)!;
const values = (entries: Record<string, Record<number, number>>) =>
  new Map(Object.entries(entries).map(([id, found]) => [id, new Map(Object.entries(found).map(([at, value]) => [Number(at), value]))]));

describe("queries", () => {
  it("are of the function, or of a way to call it where the metrics have that", () => {
    const graphs = [of("Errors"), of("Concurrent executions")];
    expect(queriesOf(graphs, { functionName: "f" })).toEqual([
      { id: "g0l0", metric: "Errors", stat: "Sum", dimensions: { FunctionName: "f" } },
      { id: "g1l0", metric: "ConcurrentExecutions", stat: "Maximum", dimensions: { FunctionName: "f" } },
    ]);
    const [errors, concurrency] = queriesOf(graphs, { functionName: "f", resource: "f:live" });
    expect(errors!.dimensions).toEqual({ FunctionName: "f", Resource: "f:live" });
    expect(concurrency!.dimensions).toEqual({ FunctionName: "f" });
  });

  it("have ids of their own, within what one request takes", () => {
    const ids = queriesOf([...GRAPHS, ...versionGraphs(["1", "2"])], { functionName: "f" }).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeLessThan(500);
  });

  it("ask for the versions that an alias led to", () => {
    const [first, second] = queriesOf(versionGraphs(["1", "2"]), { functionName: "f", resource: "f:live" });
    expect([first!.dimensions.ExecutedVersion, second!.dimensions.ExecutedVersion]).toEqual(["1", "2"]);
  });
});

describe("graphs", () => {
  const graphs = [of("Invocations"), of("Errors"), of("Duration"), of("Async delivery failures")];

  it("have 0 where nothing was counted, and nothing where there was nothing to measure", () => {
    const drawn = draw(graphs, values({ g0l0: { 60: 3, 180: 1 }, g1l0: { 60: 1, 180: 0 }, g2l0: { 60: 10, 180: 30 }, g2l4: { 60: 20, 180: 30 } }), SPAN);
    expect(drawn.map(({ graph }) => graph.title)).toEqual(["Invocations", "Errors", "Duration"]);
    expect(drawn[0]!.lines[0]!.map(({ value }) => value)).toEqual([3, 0, 1]);
    expect(drawn[2]!.lines[0]).toEqual([{ at: 60, value: 10 }, { at: 180, value: 30 }]);
    expect(drawn.map(({ summary }) => summary)).toEqual(["Total 4", "Total 1, success rate 75 %", "Average 15 ms, at most 30 ms"]);
    expect(figures(drawn[0]!)).toEqual([{ at: 180, values: [1] }, { at: 60, values: [3] }]);
    expect(figures(drawn[2]!)[0]!.values).toEqual([30, undefined, undefined, undefined, 30]);
  });

  it("say nothing where there are no figures", () => {
    const drawn = draw(graphs, values({}), SPAN);
    expect(drawn.map(({ measured, summary }) => [measured, summary])).toEqual([[false, ""], [false, ""], [false, ""]]);
  });

  it("with several lines have a total of each", () => {
    const [drawn] = draw([of("Async events received")], values({ g0l0: { 60: 2 }, g0l1: { 120: 1 } }), SPAN);
    expect(drawn!.summary).toBe("Received 2, Dropped 1");
    const [most] = draw([of("Concurrent executions")], values({ g0l0: { 60: 2, 120: 5 } }), SPAN);
    expect(most!.summary).toBe("At most 5");
    const [used] = draw([of("Provisioned concurrency utilization")], values({ g0l0: { 60: 0.5 } }), SPAN);
    expect(used!.summary).toBe("At most 50 %");
    const [init] = draw([of("Init duration")], values({ g0l0: { 60: 5 }, g0l1: { 60: 7 } }), SPAN);
    expect(init!.summary).toBe("At most 7 ms");
  });
});

it("shows figures with their unit", () => {
  expect([1.234, 12.34, 1234, 125_000].map((value) => shown(of("Duration"), value))).toEqual(["1.23 ms", "12.3 ms", "1.23 s", "2.1 min"]);
  expect(shown(of("Errors"), 3)).toBe("3");
});
