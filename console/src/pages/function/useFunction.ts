/** A function's configuration, looked at again while it is about to change by itself. */

import { useCallback } from "react";
import type { Place } from "../../api/clients";
import type { Problem } from "../../api/errors";
import { type FunctionConfiguration, getConfiguration } from "../../api/functions";
import { SOON, useWatched } from "../../components/useWatched";

export interface Found {
  readonly found?: FunctionConfiguration;
  readonly problem?: Problem;
  readonly reload: () => void;
}

export function isSettled(found: FunctionConfiguration): boolean {
  return found.State !== "Pending" && found.LastUpdateStatus !== "InProgress";
}

export function useFunction(place: Place, name: string, qualifier?: string): Found {
  const load = useCallback(() => getConfiguration(place, name, qualifier), [place, name, qualifier]);
  const { value: found, ...rest } = useWatched(load, again);
  return { found, ...rest };
}

function again(found: FunctionConfiguration): number | undefined {
  return isSettled(found) ? undefined : SOON;
}
