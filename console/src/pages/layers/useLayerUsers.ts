/** Who attaches a layer's version, growing while all functions are looked at. */

import { useEffect, useState } from "react";
import type { Place } from "../../api/clients";
import { failed } from "../../api/errors";
import type { FunctionConfiguration } from "../../api/functions";
import { layerUsers } from "../../api/layers";
import { useAgain } from "../../components/useAgain";
import type { Loaded } from "../../components/useLoad";

interface Users {
  readonly loaded: Loaded<readonly FunctionConfiguration[]>;
  /** How many functions and versions were looked at; none, once it is over. */
  readonly looked?: number;
}

export function useLayerUsers(place: Place, arn: string): Users & { reload: () => void } {
  const [state, setState] = useState<Users>({ loaded: { state: "loading" } });
  const { times, reload } = useAgain(state.loaded.state === "failed" ? state.loaded.problem : undefined);
  useEffect(() => {
    let left = false;
    const load = async () => {
      const found: FunctionConfiguration[] = [];
      try {
        for await (const { looked, users } of layerUsers(place, arn)) {
          if (left) return;
          found.push(...users);
          setState({ loaded: { state: "ready", value: [...found] }, looked });
        }
        if (!left) setState({ loaded: { state: "ready", value: found } });
      } catch (error) {
        if (!left) setState({ loaded: { state: "failed", problem: failed(error) } });
      }
    };
    setState({ loaded: { state: "loading" } });
    void load();
    return () => {
      left = true;
    };
  }, [place, arn, times]);
  return { ...state, reload };
}
