/** The ways in which a function was called, as its metrics tell them: unqualified, by version, by alias. Pure. */

import type { Dimensions } from "../../../api/metrics";

/** A `Resource`, and the versions that it led to; none where it was not qualified. */
export type Resources = ReadonlyMap<string, readonly string[]>;

export function resourcesOf(all: readonly Dimensions[]): Resources {
  const found = new Map<string, string[]>();
  for (const { Resource, ExecutedVersion } of all) {
    if (Resource === undefined) continue;
    const versions = found.get(Resource) ?? [];
    found.set(Resource, versions);
    if (ExecutedVersion !== undefined && !versions.includes(ExecutedVersion)) versions.push(ExecutedVersion);
  }
  for (const versions of found.values()) versions.sort(inOrder);
  return found;
}

export function versionsOf(resources: Resources, resource: string): readonly string[] {
  return resources.get(resource) ?? NONE;
}

const NONE: readonly string[] = [];

/** Options of a field; `chosen` is among them, even if nothing was called by it. */
export function resourceOptions(resources: Resources, functionName: string, chosen: string): { value: string; label: string }[] {
  const all = new Set([...resources.keys(), ...(chosen === "" ? [] : [chosen])]);
  return [...all].sort(inOrder).map((value) => ({ value, label: nameOf(value, functionName) }));
}

export function nameOf(resource: string, functionName: string): string {
  const qualifier = resource.startsWith(`${functionName}:`) ? resource.slice(functionName.length + 1) : undefined;
  if (qualifier === undefined) return resource === functionName ? "Unqualified" : resource;
  if (qualifier === "$LATEST") return "$LATEST, qualified";
  return /^[0-9]+$/.test(qualifier) ? `Version ${qualifier}` : `Alias ${qualifier}`;
}

function inOrder(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
