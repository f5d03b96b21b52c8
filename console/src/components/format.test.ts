import { expect, it } from "vitest";
import { ago, capital, milliseconds, size, span } from "./format";

it("is short", () => {
  expect([size(0), size(1023), size(1536), size(52428800)]).toEqual(["0 bytes", "1023 bytes", "1.5 kB", "50.0 MB"]);
  expect([milliseconds(0.471), milliseconds(999), milliseconds(61234)]).toEqual(["0.47 ms", "999 ms", "61.23 s"]);
  expect(capital("every minute")).toBe("Every minute");
  const now = new Date(1e12);
  expect([0, 59, 60, 7200, 172800].map((seconds) => ago(new Date(1e12 - seconds * 1000), now))).toEqual([
    "now", "59 seconds ago", "1 minute ago", "2 hours ago", "2 days ago",
  ]);
});

it("tells spans in their two largest units", () => {
  expect([0, 0.9, 59, 60, 200, 7500, 86400, 90000].map(span)).toEqual([
    "0 s", "0 s", "59 s", "1 min", "3 min 20 s", "2 h 5 min", "1 d", "1 d 1 h",
  ]);
});
