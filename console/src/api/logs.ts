/** Log events of functions. The client of CloudWatch Logs is loaded when it is needed first. */

import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { type Place, configuration } from "./clients";
import type { FunctionConfiguration } from "./functions";

export interface LogEvent {
  /** In the order of the log, among events of one moment. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly stream: string;
  readonly message: string;
}

/** Which events of a group: those between two moments, both included, the earliest first unless `backward`. */
export interface Wanted {
  readonly pattern?: string;
  readonly streams?: readonly string[];
  readonly start?: number;
  readonly end?: number;
  readonly backward?: boolean;
  readonly limit?: number;
  readonly token?: string;
}

/** Without a token there is nothing after it. It may be empty and have one. */
export interface LogPage {
  readonly events: readonly LogEvent[];
  readonly token?: string;
}

/** From where on logs can be read backward: the API says so. */
export const EARLIEST_BACKWARD = Date.UTC(2024, 0, 1);

const clients = new WeakMap<Place, CloudWatchLogsClient>();

export async function logPage(place: Place, group: string, wanted: Wanted, signal: AbortSignal): Promise<LogPage> {
  const { CloudWatchLogsClient, FilterLogEventsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  const client = clients.get(place) ?? new CloudWatchLogsClient(configuration(place));
  clients.set(place, client);
  const { pattern, streams, start, end, backward, limit, token } = wanted;
  const page = await client.send(new FilterLogEventsCommand({
    logGroupName: group, filterPattern: pattern, logStreamNames: streams && [...streams], limit, nextToken: token, endTime: end,
    startTime: backward ? Math.max(start ?? 0, EARLIEST_BACKWARD) : start, startFromHead: !backward,
  }), { abortSignal: signal });
  const events = (page.events ?? []).map(({ eventId = "", timestamp = 0, logStreamName = "", message = "" }) => (
    { id: eventId, at: timestamp, stream: logStreamName, message }
  ));
  return { events, token: page.nextToken };
}

/** The log group that a function writes to. */
export function logGroupOf(found: FunctionConfiguration): string {
  return found.LoggingConfig?.LogGroup ?? `/aws/lambda/${found.FunctionName}`;
}
