/** Something that is loaded, as states that a page has to show. */

import { useEffect, useState } from "react";
import { type Problem, failed } from "../api/errors";
import { useAgain } from "./useAgain";

export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly problem: Problem }
  | { readonly state: "ready"; readonly value: T };

/** Loads whenever `load` changes, on `reload`, and once a lost server is back. */
export function useLoad<T>(load: () => Promise<T>): { loaded: Loaded<T>; reload: () => void } {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const { times, reload } = useAgain(loaded.state === "failed" ? loaded.problem : undefined);
  useEffect(() => {
    let left = false;
    setLoaded({ state: "loading" });
    load().then(
      (value) => left || setLoaded({ state: "ready", value }),
      (error) => left || setLoaded({ state: "failed", problem: failed(error) }),
    );
    return () => {
      left = true;
    };
  }, [load, times]);
  return { loaded, reload };
}
