import { expect, it } from "vitest";
import type { LogEvent, Wanted } from "../../../api/logs";
import { linesOfRequest } from "./oneRequest";

const SIGNAL = new AbortController().signal;
const EVENTS: LogEvent[] = [
  ["a", "INIT_START x"], ["a", "START RequestId: 1 Version: 1"], ["b", "START RequestId: 2 Version: 1"], ["a", "of one"], ["b", "of two"],
  ["a", "END RequestId: 1"], ["a", "REPORT RequestId: 1\tDuration: 1 ms\t"], ["a", "START RequestId: 3 Version: 1"], ["b", "REPORT RequestId: 2\t"],
  ["b", "START RequestId: 1 Version: 1"], ["b", "again"], ["b", "REPORT RequestId: 1\tDuration: 1 ms\t"],
].map(([stream = "", message = ""], index) => ({ id: `${index}`, at: 1e9 + index, stream, message }));

/** Pages of three. */
async function read({ pattern = "", streams, start = 0, end = Infinity, token = "0" }: Wanted) {
  const found = EVENTS.filter(({ at, stream, message }) => at >= start && at <= end && (streams?.includes(stream) ?? true) && message.includes(pattern.replaceAll('"', "")));
  const next = Number(token) + 3;
  return { events: found.slice(Number(token), next), token: next < found.length ? `${next}` : undefined };
}

it("reads a request's lines where it ran, with the initialisation before it", async () => {
  const { lines, cut } = await linesOfRequest(read, "1", { stream: "a", at: 1e9 + 3 }, SIGNAL);
  expect(lines.map(({ id }) => id)).toEqual(["0", "1", "3", "5", "6"]);
  expect(cut).toBe(false);
});

it("finds every attempt where it is not known where it ran", async () => {
  const { lines } = await linesOfRequest(read, "1", {}, SIGNAL);
  expect(lines.map(({ id }) => id)).toEqual(["0", "1", "3", "5", "6", "9", "10", "11"]);
});

it("finds nothing of what did not run", async () => {
  expect(await linesOfRequest(read, "none", {}, SIGNAL)).toEqual({ lines: [], cut: false });
});
