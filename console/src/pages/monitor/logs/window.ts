/** The part of a log that a page holds: without a gap, each line once, bounded. Reads by a function that it is given. */

import type { LogEvent, LogPage, Wanted } from "../../../api/logs";
import { type Line, lineOf } from "./lines";

export type Read = (wanted: Wanted, signal: AbortSignal) => Promise<LogPage>;

export interface Bounds {
  /** Lines that are held. */
  readonly most: number;
  /** Lines that are asked for at once when reading back. */
  readonly step: number;
  /** Answers without a line that are looked at before somebody is asked whether to go on. */
  readonly looks: number;
}

export const BOUNDS: Bounds = { most: 20_000, step: 1000, looks: 20 };

/** A line may come to be known when later ones already are. Milliseconds. */
const OVERLAP = 5000;

export class LogWindow {
  /** In the order of the log. Another array after every change. */
  lines: readonly Line[] = [];
  /** Lines that made room for later ones. */
  dropped = 0;
  /** Whether there is nothing before the first line. */
  fromBeginning = false;
  /** Whether there was nothing after the last line when it was looked. */
  toEnd = false;
  begun = false;

  readonly #read: Read;
  readonly #pattern: string | undefined;
  readonly #bounds: Bounds;
  #seen = new Set<string>();
  /** What is up to here is held already, or is to be read back: it does not come as something new. */
  #floor: Pick<LogEvent, "at" | "id"> | undefined;
  /** Everything before this moment is known, but for what comes late. */
  #known: number | undefined;
  /** Where reading back, and on, was left. */
  #earlier: Wanted | undefined;
  #later: Wanted | undefined;

  constructor(read: Read, pattern?: string, bounds = BOUNDS) {
    this.#read = read;
    this.#pattern = pattern;
    this.#bounds = bounds;
  }

  get full(): boolean {
    return this.lines.length >= this.#bounds.most;
  }

  /** Reads the latest lines. */
  async begin(signal: AbortSignal): Promise<void> {
    const end = await this.#latest(signal);
    await this.#back(end, signal);
    this.#known = end;
    this.toEnd = true;
    this.begun = true;
  }

  /** Reads lines around a moment. */
  async beginAt(at: number, signal: AbortSignal): Promise<void> {
    await this.#back(at - 1, signal);
    this.#later = this.#asking({ start: at });
    await this.later(signal);
    this.begun = true;
  }

  /** Reads what came since. */
  async follow(signal: AbortSignal): Promise<void> {
    // With a pattern the lines that pass do not tell how far the log was read.
    const end = this.#pattern === undefined ? undefined : await this.#latest(signal);
    const start = this.#known === undefined ? undefined : Math.max(this.#known - OVERLAP, this.#floor?.at ?? 0);
    let token: string | undefined;
    do {
      const page = await this.#read({ pattern: this.#pattern, start, end, token }, signal);
      this.#add(page.events.filter((event) => this.#floor === undefined || isAfter(event, this.#floor)));
      token = page.token;
    } while (token !== undefined);
    const known = end ?? this.lines.at(-1)?.at;
    if (known !== undefined) this.#known = Math.max(known, this.#known ?? 0);
  }

  /** Reads what is before the first line. */
  async earlier(signal: AbortSignal): Promise<void> {
    await this.#back(this.lines[0]?.at ?? this.#floor?.at, signal);
  }

  /** Reads what is after the last line. */
  async later(signal: AbortSignal): Promise<void> {
    this.#later = await this.#look(this.#later ?? this.#asking({ start: this.lines.at(-1)?.at }), true, signal);
    this.toEnd = this.#later === undefined;
  }

  /** Lets go of all lines; only later ones come. */
  clear(): void {
    this.#floor = this.lines.at(-1) ?? this.#floor;
    this.lines = [];
    this.#seen = new Set();
    this.#earlier = undefined;
    this.dropped = 0;
    this.fromBeginning = false;
  }

  async #latest(signal: AbortSignal): Promise<number | undefined> {
    return (await this.#read({ backward: true, limit: 1 }, signal)).events[0]?.at;
  }

  async #back(end: number | undefined, signal: AbortSignal): Promise<void> {
    this.#earlier = await this.#look(this.#earlier ?? this.#asking({ end, backward: true }), false, signal);
    this.fromBeginning = this.#earlier === undefined;
    this.#floor = this.fromBeginning ? undefined : (this.lines[0] ?? this.#floor);
  }

  #asking(wanted: Wanted): Wanted {
    return { pattern: this.#pattern, limit: this.#bounds.step, ...wanted };
  }

  /** Reads until there are new lines. What is to be asked for next, if there is more. */
  async #look(wanted: Wanted, bounded: boolean, signal: AbortSignal): Promise<Wanted | undefined> {
    for (let look = 0, next = wanted; look < this.#bounds.looks; look++) {
      const { events, token } = await this.#read(next, signal);
      const found = this.#add(events, bounded);
      if (token === undefined) return undefined;
      next = { ...next, token };
      if (found > 0 || look + 1 === this.#bounds.looks) return next;
    }
    return wanted;
  }

  /** How many of them are new. `bounded`: the first lines make room where there are too many. */
  #add(events: readonly LogEvent[], bounded = true): number {
    const fresh = events.filter(({ id }) => !this.#seen.has(id));
    if (fresh.length === 0) return 0;
    for (const { id } of fresh) this.#seen.add(id);
    const all = [...this.lines, ...fresh.map(lineOf)].sort(inOrder);
    const over = bounded ? Math.max(all.length - this.#bounds.most, 0) : 0;
    if (over > 0) {
      this.#floor = all[over - 1];
      for (const { id } of all.splice(0, over)) this.#seen.delete(id);
      this.dropped += over;
      this.fromBeginning = false;
      this.#earlier = undefined;
    }
    this.lines = all;
    return fresh.length;
  }
}

function inOrder(a: Pick<LogEvent, "at" | "id">, b: Pick<LogEvent, "at" | "id">): number {
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function isAfter(event: Pick<LogEvent, "at" | "id">, mark: Pick<LogEvent, "at" | "id">): boolean {
  return inOrder(event, mark) > 0;
}
