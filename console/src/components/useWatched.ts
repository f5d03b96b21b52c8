/** Something that is loaded again and again while it is looked at. What is shown stays until the next is there. */

import { useEffect, useRef, useState } from "react";
import { failed } from "../api/errors";
import { useAgain } from "./useAgain";
import type { Loaded } from "./useLoad";

/** `every`: milliseconds from one answer to the next question; none, where it is asked for. */
export function useWatched<T>(load: () => Promise<T>, every: number | undefined): { loaded: Loaded<T>; reload: () => void } {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const { times, reload } = useAgain(loaded.state === "failed" ? loaded.problem : undefined);
  const of = useRef(load);
  useEffect(() => {
    let left = false, timer: ReturnType<typeof setTimeout> | undefined;
    // Of something else: what was shown is not it.
    if (of.current !== load) setLoaded({ state: "loading" });
    of.current = load;
    const look = async () => {
      const next = await load().then((value) => ({ state: "ready", value }) as const, (error) => ({ state: "failed", problem: failed(error) }) as const);
      if (left) return;
      setLoaded(next);
      if (every !== undefined && next.state === "ready") timer = setTimeout(look, every);
    };
    void look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [load, times, every]);
  return { loaded, reload };
}
