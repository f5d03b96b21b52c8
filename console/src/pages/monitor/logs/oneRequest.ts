/** The lines of one request. A function's own need not say whose they are: all of its stream are read, from start to end. */

import type { LogEvent, Wanted } from "../../../api/logs";
import { type Line, lineOf } from "./lines";
import { quoted } from "./pattern";
import { requestsOf } from "./requests";
import type { Read } from "./window";

/** No request takes longer, and no initialisation. Milliseconds. */
const LONGEST = 15 * 60_000;
const LONGEST_INIT = 130_000;
const MOST = 20_000;

export interface RequestLines {
  readonly lines: readonly Line[];
  /** Whether there are more than are read. */
  readonly cut: boolean;
}

/** `stream` and `at`: where it ran, and a moment of it, as far as that is known. */
export async function linesOfRequest(read: Read, request: string, { stream, at }: { stream?: string; at?: number }, signal: AbortSignal): Promise<RequestLines> {
  const around: Wanted = {
    ...(stream === undefined ? {} : { streams: [stream] }), ...(at === undefined ? {} : { start: at - LONGEST, end: at + LONGEST }),
  };
  const own = await all(read, { ...around, pattern: quoted(request) }, signal);
  const found: Line[] = [];
  let cut = own.cut;
  for (const [name, [first, last]] of spans(own.events)) {
    const whole = await all(read, { streams: [name], start: first - LONGEST_INIT, end: last }, signal);
    const lines = whole.events.map(lineOf), requests = requestsOf(lines);
    found.push(...lines.filter((_, index) => requests[index] === request));
    cut ||= whole.cut;
  }
  return { lines: found, cut };
}

async function all(read: Read, wanted: Wanted, signal: AbortSignal): Promise<{ events: LogEvent[]; cut: boolean }> {
  const events: LogEvent[] = [];
  let token: string | undefined;
  do {
    const page = await read({ ...wanted, token }, signal);
    events.push(...page.events);
    token = page.token;
  } while (token !== undefined && events.length < MOST);
  return { events, cut: token !== undefined };
}

/** The first and the last moment by stream. */
function spans(events: readonly LogEvent[]): Map<string, [number, number]> {
  const found = new Map<string, [number, number]>();
  for (const { stream, at } of events) {
    const [first, last] = found.get(stream) ?? [at, at];
    found.set(stream, [Math.min(first, at), Math.max(last, at)]);
  }
  return found;
}
