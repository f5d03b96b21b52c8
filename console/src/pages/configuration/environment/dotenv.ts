/** Reads lines of `.env` files: `KEY=VALUE`, quoted or not, with comments. Pure. */

import type { Variable } from "./variables";

const KEY = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*/;
const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

export interface Read {
  readonly variables: readonly Variable[];
  /** Numbers of lines that say nothing of this kind. */
  readonly unread: readonly number[];
}

export function readDotenv(text: string): Read {
  const variables: Variable[] = [], unread: number[] = [];
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (/^\s*(#|$)/.test(line)) continue;
    const found = KEY.exec(line);
    if (found === null) {
      unread.push(at + 1);
      continue;
    }
    const [value, more] = valueAt(lines, at, found[0].length);
    variables.push({ key: found[1]!, value });
    at += more;
  }
  return { variables, unread };
}

/** The value, and how many lines more than one it takes. */
function valueAt(lines: readonly string[], at: number, start: number): [value: string, more: number] {
  const line = lines[at]!.slice(start), quote = line[0];
  if (quote === '"' || quote === "'") {
    const rest = [line, ...lines.slice(at + 1)].join("\n");
    const quoted = (quote === '"' ? /^"((?:[^"\\]|\\[^])*)"[ \t]*(?:#[^\n]*)?(?:\n|$)/ : /^'([^']*)'[ \t]*(?:#[^\n]*)?(?:\n|$)/).exec(rest);
    if (quoted) {
      const value = quote === '"' ? quoted[1]!.replace(/\\([^])/g, (_, character: string) => ESCAPES[character] ?? character) : quoted[1]!;
      return [value, quoted[1]!.split("\n").length - 1];
    }
  }
  return [line.replace(/(^|\s)#.*$/, "").trim(), 0];
}
