/** The ways in which a function was called so far. */

import { useCallback } from "react";
import type { Place } from "../../../api/clients";
import type { Problem } from "../../../api/errors";
import { dimensionsOf } from "../../../api/metrics";
import { useLoad } from "../../../components/useLoad";
import { type Resources, resourcesOf } from "./resources";

const NONE: Resources = new Map();

export function useResources(place: Place, functionName: string): { resources: Resources; problem?: Problem } {
  // Calls that were refused count, too: this metric has a value for every call.
  const load = useCallback(async () => resourcesOf(await dimensionsOf(place, "Throttles", { FunctionName: functionName })), [place, functionName]);
  const { loaded } = useLoad(load);
  if (loaded.state === "failed") return { resources: NONE, problem: loaded.problem };
  return { resources: loaded.state === "ready" ? loaded.value : NONE };
}
