/** Execution environments that are alive now. */

import type { Place } from "./clients";
import { type Environment, pages } from "./ingle";
import { all } from "./pages";

export type { Environment };

/** Of one function, or of all in the region. */
export function listEnvironments(place: Place, FunctionName?: string): Promise<Environment[]> {
  return all(pages(place, "ListEnvironments", { FunctionName, MaxResults: 1000 }), ({ Environments }) => Environments);
}
