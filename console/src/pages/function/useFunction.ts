/** A function's configuration, looked at again while it is about to change by itself. */

import { useEffect, useState } from "react";
import type { Place } from "../../api/clients";
import { type Problem, failed } from "../../api/errors";
import { type FunctionConfiguration, getConfiguration } from "../../api/functions";
import { useAgain } from "../../components/useAgain";

const BETWEEN_LOOKS = 400;

export interface Found {
  readonly found?: FunctionConfiguration;
  readonly problem?: Problem;
  readonly reload: () => void;
}

export function isSettled(found: FunctionConfiguration): boolean {
  return found.State !== "Pending" && found.LastUpdateStatus !== "InProgress";
}

export function useFunction(place: Place, name: string, qualifier?: string): Found {
  const [state, setState] = useState<Omit<Found, "reload">>({});
  const { times, reload } = useAgain(state.problem);
  useEffect(() => setState({}), [place, name, qualifier]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined, left = false;
    const look = async () => {
      try {
        const found = await getConfiguration(place, name, qualifier);
        if (left) return;
        setState({ found });
        if (!isSettled(found)) timer = setTimeout(look, BETWEEN_LOOKS);
      } catch (error) {
        // What is shown stays, with what is typed into it.
        if (!left) setState((before) => ({ found: before.found, problem: failed(error) }));
      }
    };
    void look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [place, name, qualifier, times]);
  return { ...state, reload };
}
