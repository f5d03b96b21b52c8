/** Something that is loaded, as states that a page has to show. */

import { useCallback, useEffect, useState } from "react";
import { watchConnection } from "../api/connection";
import { type Problem, failed } from "../api/errors";

export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly problem: Problem }
  | { readonly state: "ready"; readonly value: T };

/** Loads whenever `load` changes, on `reload`, and once a lost server is back. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>): { loaded: Loaded<T>; reload: () => void } {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const [times, setTimes] = useState(0);
  const reload = useCallback(() => setTimes((before) => before + 1), []);
  useEffect(() => {
    const abort = new AbortController();
    setLoaded({ state: "loading" });
    load(abort.signal).then(
      (value) => abort.signal.aborted || setLoaded({ state: "ready", value }),
      (error) => abort.signal.aborted || setLoaded({ state: "failed", problem: failed(error) }),
    );
    return () => abort.abort();
  }, [load, times]);
  const broken = loaded.state === "failed" && loaded.problem.kind === "unreachable";
  useEffect(() => (broken ? watchConnection((connected) => connected && reload()) : undefined), [broken, reload]);
  return { loaded, reload };
}
