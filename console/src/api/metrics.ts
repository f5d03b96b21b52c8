/** Metrics of functions. The client of CloudWatch is loaded when it is needed first. */

import type { Dimension } from "@aws-sdk/client-cloudwatch";
import { type Place, configuration } from "./clients";

const NAMESPACE = "AWS/Lambda";

export type Dimensions = Readonly<Record<string, string>>;

export interface Query {
  readonly id: string;
  readonly metric: string;
  /** `Sum`, `Average`, `p99` and the like. */
  readonly stat: string;
  readonly dimensions: Dimensions;
}

/** In epoch seconds, `end` excluded. */
export interface Times {
  readonly start: number;
  readonly end: number;
  readonly period: number;
}

/** Values by the start of their period, in epoch seconds. */
export type Values = ReadonlyMap<number, number>;

/** All of them with one request, and what does not fit into its answer with further ones. By the queries' ids. */
export async function metricData(place: Place, queries: readonly Query[], { start, end, period }: Times, signal?: AbortSignal): Promise<Map<string, Values>> {
  const { client, GetMetricDataCommand } = await cloudWatch(place);
  const found = new Map<string, Map<number, number>>(queries.map(({ id }) => [id, new Map()]));
  let NextToken: string | undefined;
  do {
    const page = await client.send(new GetMetricDataCommand({
      StartTime: new Date(start * 1000), EndTime: new Date(end * 1000), NextToken,
      MetricDataQueries: queries.map(({ id, metric, stat, dimensions }) => ({
        Id: id, MetricStat: { Metric: { Namespace: NAMESPACE, MetricName: metric, Dimensions: listed(dimensions) }, Period: period, Stat: stat },
      })),
    }), { abortSignal: signal });
    for (const { Id = "", Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
      Timestamps.forEach((at, index) => found.get(Id)?.set(at.getTime() / 1000, Values[index] ?? 0));
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

/** The dimensions of every metric of that name, that has at least the given ones. */
export async function dimensionsOf(place: Place, metric: string, dimensions: Dimensions): Promise<Dimensions[]> {
  const { client, ListMetricsCommand } = await cloudWatch(place);
  const found: Dimensions[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(new ListMetricsCommand({
      Namespace: NAMESPACE, MetricName: metric, Dimensions: listed(dimensions), NextToken,
    }));
    for (const { Dimensions = [] } of page.Metrics ?? []) {
      found.push(Object.fromEntries(Dimensions.map(({ Name = "", Value = "" }) => [Name, Value])));
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

async function cloudWatch(place: Place) {
  const { CloudWatchClient, ...commands } = await import("@aws-sdk/client-cloudwatch");
  return { client: new CloudWatchClient(configuration(place)), ...commands };
}

function listed(dimensions: Dimensions): Dimension[] {
  return Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}
