/** A list that grows while it is looked for, answer by answer. Nothing more is asked for once its page is left. */

import { useEffect, useState } from "react";
import { failed } from "../api/errors";
import { useAgain } from "./useAgain";
import type { Loaded } from "./useLoad";

export interface Part<T> {
  readonly found: readonly T[];
  /** How much was looked at so far, of what they are among. */
  readonly looked: number;
}

interface Growing<T> {
  readonly loaded: Loaded<readonly T[]>;
  /** None, once it is over. */
  readonly looked?: number;
}

/** Begins anew whenever `look` changes, on `reload`, and once a lost server is back. */
export function useGrowing<T>(look: () => AsyncIterable<Part<T>>): Growing<T> & { reload: () => void } {
  const [state, setState] = useState<Growing<T>>({ loaded: { state: "loading" } });
  const { times, reload } = useAgain(state.loaded.state === "failed" ? state.loaded.problem : undefined);
  useEffect(() => {
    let left = false;
    const load = async () => {
      const all: T[] = [];
      try {
        for await (const { looked, found } of look()) {
          if (left) return;
          all.push(...found);
          setState({ loaded: { state: "ready", value: [...all] }, looked });
        }
        if (!left) setState({ loaded: { state: "ready", value: all } });
      } catch (error) {
        if (!left) setState({ loaded: { state: "failed", problem: failed(error) } });
      }
    };
    setState({ loaded: { state: "loading" } });
    void load();
    return () => {
      left = true;
    };
  }, [look, times]);
  return { ...state, reload };
}
