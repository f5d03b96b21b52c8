/** Which versions invocations of an alias ran on, from the metrics. */

import type { Place } from "./clients";
import { dimensionsOf, metricData } from "./metrics";

const MINUTE = 60;
const METRIC = "Invocations";

/** Invocations by version, of this minute and so many before it. */
export async function executedVersions(place: Place, name: string, alias: string, minutes: number): Promise<Map<string, number>> {
  const called = { FunctionName: name, Resource: `${name}:${alias}` };
  const versions = (await dimensionsOf(place, METRIC, called)).map(({ ExecutedVersion }) => ExecutedVersion).filter((each) => each !== undefined);
  if (versions.length === 0) return new Map();
  const now = Math.floor(Date.now() / 1000 / MINUTE) * MINUTE;
  const queries = versions.map((version, index) => ({
    id: `v${index}`, metric: METRIC, stat: "Sum", dimensions: { ...called, ExecutedVersion: version },
  }));
  const found = await metricData(place, queries, { start: now - minutes * MINUTE, end: now + MINUTE, period: MINUTE });
  return new Map(versions.map((version, index) => [version, [...(found.get(`v${index}`)?.values() ?? [])].reduce((sum, value) => sum + value, 0)]));
}
