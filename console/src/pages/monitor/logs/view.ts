/** What of a log is looked at, as the address has it. Pure. */

import type { FunctionConfiguration } from "../../../api/functions";
import { qualifierOf } from "../../../api/functions";
import { type FunctionPlace, addressOf, withQuery } from "../../../app/places";
import type { Links } from "./LogRow";
import { LEVELS, type Level, type Line, isOf, versionOf } from "./lines";

export interface View {
  /** What somebody searches for, as typed. */
  readonly search: string;
  readonly least: Level;
  readonly grouped: boolean;
  /** Epoch milliseconds, and the line that was looked at. */
  readonly at?: number;
  readonly line?: string;
  readonly version?: string;
}

export const ALL: Level = "TRACE";

export function viewOf(query: URLSearchParams, qualifier: string | undefined): View {
  const at = Date.parse(query.get("at") ?? ""), version = query.get("version") ?? usualVersion(qualifier);
  return {
    search: query.get("q") ?? "", least: LEVELS.find((level) => level === query.get("level")) ?? ALL, grouped: query.get("by") === "request",
    ...(Number.isNaN(at) ? {} : { at, line: query.get("line") ?? undefined }), ...(version === "" ? {} : { version }),
  };
}

/** The page of a version shows that one's lines; an alias may lead to several. */
export function usualVersion(qualifier: string | undefined): string {
  return qualifier !== undefined && /^[0-9]+$/.test(qualifier) ? qualifier : "";
}

/** Lines of the function, and of the version if one is chosen. */
export function shownOf(lines: readonly Line[], functionName: string, version: string | undefined): readonly Line[] {
  return lines.filter(({ stream }) => isOf(functionName, stream) && (version === undefined || versionOf(stream) === version));
}

/** Versions that lines are of, and the chosen one. */
export function versionsIn(lines: readonly Line[], chosen: string | undefined): string[] {
  const found = new Set(chosen === undefined ? [] : [chosen]);
  for (const stream of new Set(lines.map(({ stream }) => stream))) {
    const version = versionOf(stream);
    if (version !== undefined) found.add(version);
  }
  return [...found].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

export function linksOf(region: string, found: FunctionConfiguration): Links {
  const place: FunctionPlace = {
    page: "function", name: found.FunctionName ?? "", qualifier: qualifierOf(found), tab: "monitor", section: "logs",
  };
  const address = addressOf(region, place);
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ofRequest: (request, stream, at) => address + withQuery("", { request, stream, at: iso(at) }),
    around: ({ id, at }) => address + withQuery("", { at: iso(at), line: id }),
  };
}
