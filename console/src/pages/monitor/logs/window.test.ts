import { describe, expect, it } from "vitest";
import type { LogEvent, LogPage, Wanted } from "../../../api/logs";
import { BOUNDS, LogWindow } from "./window";

const SIGNAL = new AbortController().signal;

/** A log that answers as the API does, with at most `page` events looked at for each request. */
class Log {
  readonly events: LogEvent[] = [];
  readonly asked: Wanted[] = [];

  constructor(readonly page = 3) {}

  /** Lines at moments; the same moment may come again. */
  write(...moments: readonly number[]): void {
    for (const at of moments) this.events.push({ id: `${this.events.length}`.padStart(6, "0"), at, stream: "s", message: `${at}` });
  }

  readonly read = async (wanted: Wanted): Promise<LogPage> => {
    this.asked.push(wanted);
    const { start = 0, end = Infinity, backward = false, limit = this.page, token = "0", pattern = "" } = wanted;
    const all = [...this.events].sort((a, b) => a.at - b.at || a.id.localeCompare(b.id)).filter(({ at }) => at >= start && at <= end);
    if (backward) all.reverse();
    const next = Number(token) + Math.min(limit, this.page);
    return {
      events: all.slice(Number(token), next).filter(({ message }) => message.includes(pattern)), token: next < all.length ? `${next}` : undefined,
    };
  };
}

const moments = (window: LogWindow) => window.lines.map(({ at }) => at);

describe("the latest lines", () => {
  it("are followed by what comes, without a gap and each once", async () => {
    const log = new Log();
    log.write(10, 20, 20, 20, 30);
    const window = new LogWindow(log.read);
    await window.begin(SIGNAL);
    expect(moments(window)).toEqual([20, 20, 30]);
    log.write(30, 31, 32, 33, 34, 35);
    await window.follow(SIGNAL);
    await window.follow(SIGNAL);
    expect(moments(window).slice(-7)).toEqual([30, 30, 31, 32, 33, 34, 35]);
    expect(new Set(window.lines.map(({ id }) => id)).size).toBe(window.lines.length);
  });

  it("have late ones in their place", async () => {
    const log = new Log(100);
    log.write(10_000, 12_000);
    const window = new LogWindow(log.read);
    await window.begin(SIGNAL);
    log.write(11_000, 13_000);
    await window.follow(SIGNAL);
    expect(moments(window)).toEqual([10_000, 11_000, 12_000, 13_000]);
  });

  it("do not bring those before them along", async () => {
    const log = new Log(100);
    log.write(1000, 1001, 1002, 1003);
    const window = new LogWindow(log.read, undefined, { ...BOUNDS, step: 2 });
    await window.begin(SIGNAL);
    log.write(1004);
    await window.follow(SIGNAL);
    expect(moments(window)).toEqual([1002, 1003, 1004]);
    await window.earlier(SIGNAL);
    await window.follow(SIGNAL);
    expect(moments(window)).toEqual([1000, 1001, 1002, 1003, 1004]);
  });

  it("are none of a log that is empty until something is written", async () => {
    const log = new Log();
    const window = new LogWindow(log.read);
    await window.begin(SIGNAL);
    expect(window).toMatchObject({ lines: [], fromBeginning: true });
    log.write(5);
    await window.follow(SIGNAL);
    expect(moments(window)).toEqual([5]);
  });

  it("are bounded, and what makes room is counted", async () => {
    const log = new Log();
    const window = new LogWindow(log.read, undefined, { ...BOUNDS, most: 4 });
    log.write(1, 2, 3);
    await window.begin(SIGNAL);
    log.write(4, 5, 6);
    await window.follow(SIGNAL);
    await window.follow(SIGNAL);
    expect(moments(window)).toEqual([3, 4, 5, 6]);
    expect(window).toMatchObject({ dropped: 2, full: true, fromBeginning: false });
  });
});

describe("earlier lines", () => {
  it("are read back to the beginning", async () => {
    const log = new Log();
    log.write(1, 2, 3, 4, 5, 6, 7);
    const window = new LogWindow(log.read);
    await window.begin(SIGNAL);
    await window.earlier(SIGNAL);
    expect(moments(window)).toEqual([2, 3, 4, 5, 6, 7]);
    await window.earlier(SIGNAL);
    expect(moments(window)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(window.fromBeginning).toBe(true);
  });

  it("come back after some made room, also of one moment", async () => {
    const log = new Log();
    log.write(1, 1, 1, 1, 1);
    const window = new LogWindow(log.read, undefined, { ...BOUNDS, most: 2 });
    await window.begin(SIGNAL);
    log.write(2);
    await window.follow(SIGNAL);
    expect(moments(window)).toEqual([1, 2]);
    await window.earlier(SIGNAL);
    await window.earlier(SIGNAL);
    expect(moments(window)).toEqual([1, 1, 1, 1, 1, 2]);
  });
});

describe("a search", () => {
  it("reads on until it finds something, and can go on after it gave up", async () => {
    const log = new Log(2);
    log.write(5, 11, 12, 13, 14, 16, 17);
    const window = new LogWindow(log.read, "5", { ...BOUNDS, looks: 2 });
    await window.begin(SIGNAL);
    expect(window).toMatchObject({ lines: [], fromBeginning: false });
    await window.earlier(SIGNAL);
    expect(moments(window)).toEqual([5]);
  });

  it("does not read the same again while it follows", async () => {
    const log = new Log(100);
    log.write(5, 100_000);
    const window = new LogWindow(log.read, "5");
    await window.begin(SIGNAL);
    log.write(200_000, 250_000);
    await window.follow(SIGNAL);
    await window.follow(SIGNAL);
    expect(log.asked.at(-1)).toMatchObject({ start: 245_000, end: 250_000, pattern: "5" });
    expect(moments(window)).toEqual([5, 250_000]);
  });
});

describe("around a moment", () => {
  it("lines are read to both sides", async () => {
    const log = new Log();
    log.write(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    const window = new LogWindow(log.read);
    await window.beginAt(5, SIGNAL);
    expect(moments(window)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(window.toEnd).toBe(false);
    await window.later(SIGNAL);
    expect(window.toEnd).toBe(true);
    await window.earlier(SIGNAL);
    expect(moments(window)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("there may be nothing", async () => {
    const window = new LogWindow(new Log().read);
    await window.beginAt(5, SIGNAL);
    expect(window).toMatchObject({ lines: [], toEnd: true, fromBeginning: true });
  });
});

it("cleared, has only what comes later, and what was before if it is asked for", async () => {
  const log = new Log();
  log.write(1, 2, 3);
  const window = new LogWindow(log.read);
  await window.begin(SIGNAL);
  window.clear();
  await window.follow(SIGNAL);
  expect(moments(window)).toEqual([]);
  log.write(4);
  await window.follow(SIGNAL);
  expect(moments(window)).toEqual([4]);
  await window.earlier(SIGNAL);
  expect(moments(window)).toEqual([1, 2, 3, 4].slice(-3));
});
