/** The graphs of a function: what each shows, what is asked of the API for all of them, and what the answers come to. Pure. */

import type { Dimensions, Query, Values } from "../../../api/metrics";
import { capital } from "../../../components/format";
import { type Span, momentsOf } from "../range";

/** What is looked at: a function, a way to call it (`Resource`), or one version that this led to. */
export interface Subject {
  readonly functionName: string;
  readonly resource?: string;
}

interface Line {
  readonly title: string;
  readonly metric: string;
  readonly stat: string;
  /** Where a line is about one version that a resource led to. */
  readonly version?: string;
}

export interface Graph {
  readonly title: string;
  readonly hint: string;
  readonly unit: "count" | "milliseconds" | "share";
  readonly lines: readonly Line[];
  /** Only there once there are figures. */
  readonly optional?: true;
  /** The metrics have no dimension but the function. */
  readonly wholeFunction?: true;
}

const line = (title: string, metric: string, stat: string): Line => ({ title, metric, stat });
const sum = (title: string, metric: string) => line(title, metric, "Sum");

export const GRAPHS: readonly Graph[] = [
  { title: "Invocations", hint: "Times that the function ran.", unit: "count", lines: [sum("Invocations", "Invocations")] },
  { title: "Duration", hint: "How long the code ran, without initialisation.", unit: "milliseconds", lines: [
    line("Average", "Duration", "Average"), line("p50", "Duration", "p50"), line("p95", "Duration", "p95"),
    line("p99", "Duration", "p99"), line("Maximum", "Duration", "Maximum"),
  ] },
  { title: "Errors", hint: "Invocations that failed by the function, time-outs and crashes included.", unit: "count", lines: [sum("Errors", "Errors")] },
  { title: "Throttles", hint: "Invocations that were refused for a limit.", unit: "count", lines: [sum("Throttles", "Throttles")] },
  { title: "Concurrent executions", hint: "The most that ran at one time.", unit: "count", wholeFunction: true,
    lines: [line("Maximum", "ConcurrentExecutions", "Maximum")] },
  { title: "Cold starts", hint: "Invocations that had an environment initialised.", unit: "count", lines: [line("Cold starts", "InitDuration", "SampleCount")] },
  { title: "Init duration", hint: "How long environments of cold starts initialised.", unit: "milliseconds", lines: [
    line("Average", "InitDuration", "Average"), line("Maximum", "InitDuration", "Maximum"),
  ] },
  { title: "Async events received", hint: "Events that were accepted into the queue, and those that ended without a success.", unit: "count", wholeFunction: true,
    lines: [sum("Received", "AsyncEventsReceived"), sum("Dropped", "AsyncEventsDropped")] },
  { title: "Async event age", hint: "How long ago an event was accepted, at each attempt.", unit: "milliseconds", wholeFunction: true,
    lines: [line("Average", "AsyncEventAge", "Average"), line("Maximum", "AsyncEventAge", "Maximum")] },
  { title: "Async delivery failures", hint: "Results that a destination or a dead-letter target did not take.", unit: "count", optional: true, wholeFunction: true,
    lines: [sum("Destinations", "DestinationDeliveryFailures"), sum("Dead letters", "DeadLetterErrors")] },
  { title: "Recursive invocations dropped", hint: "Invocations and events that were stopped as a loop.", unit: "count", optional: true, wholeFunction: true,
    lines: [sum("Dropped", "RecursiveInvocationsDropped")] },
  { title: "Provisioned concurrency invocations", hint: "Invocations in provisioned environments, and those that ran on demand for want of one.", unit: "count", optional: true,
    lines: [sum("Provisioned", "ProvisionedConcurrencyInvocations"), sum("Spillover", "ProvisionedConcurrencySpilloverInvocations")] },
  { title: "Provisioned concurrency utilization", hint: "The share of provisioned environments that were in use.", unit: "share", optional: true,
    lines: [line("Maximum", "ProvisionedConcurrencyUtilization", "Maximum")] },
];

/** Of a resource that led to several versions, one line for each of them. */
export function versionGraphs(versions: readonly string[]): Graph[] {
  const of = (title: string, metric: string, hint: string): Graph => ({
    title, hint, unit: "count", lines: versions.map((version) => ({ title: `Version ${version}`, metric, stat: "Sum", version })),
  });
  return [
    of("Invocations by version", "Invocations", "Versions that this led to."),
    of("Errors by version", "Errors", "Errors of the versions that this led to."),
  ];
}

export function queriesOf(graphs: readonly Graph[], { functionName, resource }: Subject): Query[] {
  return graphs.flatMap((graph, row) => graph.lines.map(({ metric, stat, version }, column) => {
    const of: Dimensions = graph.wholeFunction || resource === undefined ? {} : { Resource: resource, ...(version === undefined ? {} : { ExecutedVersion: version }) };
    return { id: idOf(row, column), metric, stat, dimensions: { FunctionName: functionName, ...of } };
  }));
}

function idOf(row: number, column: number): string {
  return `g${row}l${column}`;
}

export interface Point {
  /** Epoch seconds. */
  readonly at: number;
  readonly value: number;
}

export interface Drawn {
  readonly graph: Graph;
  /** As the graph's lines. Where nothing was counted is 0; where there was nothing to measure is no point. */
  readonly lines: readonly (readonly Point[])[];
  /** Whether there is any figure. */
  readonly measured: boolean;
  /** The figures of the whole range in words. */
  readonly summary: string;
}

export function draw(graphs: readonly Graph[], values: ReadonlyMap<string, Values>, span: Span): Drawn[] {
  const moments = momentsOf(span);
  const all = graphs.map((graph, row) => {
    const found = graph.lines.map((_, column) => values.get(idOf(row, column)) ?? new Map<number, number>());
    const lines = found.map((line) => moments.flatMap((at): Point[] => {
      const value = line.get(at) ?? (graph.unit === "milliseconds" ? undefined : 0);
      return value === undefined ? [] : [{ at, value }];
    }));
    return { graph, lines, measured: found.some((line) => line.size > 0) };
  });
  const totals = new Map(all.map(({ graph, lines }) => [graph.title, total(lines[0] ?? [])]));
  const counts = all.find(({ graph }) => graph.title === "Invocations")?.lines[0] ?? [];
  return all
    .filter(({ graph, measured }) => measured || !graph.optional)
    .map((each) => ({ ...each, summary: each.measured ? summary(each.graph, each.lines, totals, counts) : "" }));
}

function total(line: readonly Point[]): number {
  return line.reduce((sum, { value }) => sum + value, 0);
}

function most(line: readonly Point[]): number {
  return line.reduce((found, { value }) => Math.max(found, value), 0);
}

function summary(graph: Graph, lines: readonly (readonly Point[])[], totals: ReadonlyMap<string, number>, counts: readonly Point[]): string {
  const [first = []] = lines;
  if (graph.unit === "share") return `At most ${shown(graph, most(first))}`;
  if (graph.unit === "milliseconds") {
    const average = graph.title === "Duration" ? `Average ${shown(graph, weighted(first, counts))}, ` : "";
    const longest = `at most ${shown(graph, most(lines.at(-1) ?? []))}`;
    return average === "" ? capital(longest) : average + longest;
  }
  if (graph.lines[0]?.stat === "Maximum") return `At most ${most(first)}`;
  if (graph.title === "Errors") {
    const invocations = totals.get("Invocations") ?? 0;
    const rate = invocations === 0 ? "" : `, success rate ${percent(1 - total(first) / invocations)}`;
    return `Total ${total(first)}${rate}`;
  }
  if (lines.length === 1) return `Total ${total(first)}`;
  return graph.lines.map(({ title }, index) => `${title} ${total(lines[index] ?? [])}`).join(", ");
}

/** The average of all, from the averages of periods and how much was in each. */
function weighted(averages: readonly Point[], counts: readonly Point[]): number {
  const weights = new Map(counts.map(({ at, value }) => [at, value]));
  const weight = averages.reduce((sum, { at }) => sum + (weights.get(at) ?? 0), 0);
  return weight === 0 ? 0 : averages.reduce((sum, { at, value }) => sum + value * (weights.get(at) ?? 0), 0) / weight;
}

export function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** A figure of a graph with its unit. */
export function shown({ unit }: Graph, value: number): string {
  if (unit === "share") return percent(value);
  if (unit === "count") return `${Number(value.toFixed(2))}`;
  return value < 1000 ? `${Number(value.toFixed(value < 10 ? 2 : 1))} ms` : value < 60_000 ? `${Number((value / 1000).toFixed(2))} s` : `${Number((value / 60_000).toFixed(1))} min`;
}

export interface Figures {
  readonly at: number;
  readonly values: readonly (number | undefined)[];
}

/** What a graph shows as rows, the latest first; periods in which nothing happened are left out. */
export function figures({ lines }: Drawn): Figures[] {
  const byTime = lines.map((line) => new Map(line.map(({ at, value }) => [at, value])));
  const times = [...new Set(lines.flatMap((line) => line.filter(({ value }) => value !== 0).map(({ at }) => at)))].sort((a, b) => b - a);
  return times.map((at) => ({ at, values: byTime.map((line) => line.get(at)) }));
}
