/** Something that is loaded, and looked at again and again while that is asked for. What is shown stays meanwhile. */

import { useEffect, useRef, useState } from "react";
import { type Problem, failed } from "../api/errors";
import { useAgain } from "./useAgain";
import type { Loaded } from "./useLoad";

/** From one look to the next at what is about to change by itself. */
export const SOON = 400;

export interface Watched<T> {
  /** The last one, also where a look after it brought nothing. */
  readonly value?: T;
  /** Why the last look brought nothing. */
  readonly problem?: Problem;
  /** What came of the last look. */
  readonly loaded: Loaded<T>;
  readonly reload: () => void;
}

type Every<T> = number | ((value: T) => number | undefined);

/** Begins anew whenever `load` changes, and looks again on `reload`, and once a lost server is back.
 *
 * `every`: milliseconds from one answer to the next question, or a function that stays the same and tells them by the
 * answer; none, where it is asked for only.
 */
export function useWatched<T>(load: () => Promise<T>, every?: Every<T>): Watched<T> {
  const [state, setState] = useState<{ value?: T; problem?: Problem }>({});
  const { times, reload } = useAgain(state.problem);
  const of = useRef(load);
  useEffect(() => {
    let left = false, timer: ReturnType<typeof setTimeout> | undefined;
    // Of something else: what was shown is not it.
    if (of.current !== load) setState({});
    of.current = load;
    const look = async () => {
      // Nobody sees it.
      if (typeof every === "number" && document.hidden) return void (timer = setTimeout(look, every));
      try {
        const value = await load();
        if (left) return;
        setState({ value });
        const pause = typeof every === "function" ? every(value) : every;
        if (pause !== undefined) timer = setTimeout(look, pause);
      } catch (error) {
        if (!left) setState((before) => ({ value: before.value, problem: failed(error) }));
      }
    };
    void look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [load, times, every]);
  return { ...state, loaded: loadedOf(state), reload };
}

function loadedOf<T>({ value, problem }: { value?: T; problem?: Problem }): Loaded<T> {
  if (problem !== undefined) return { state: "failed", problem };
  return value === undefined ? { state: "loading" } : { state: "ready", value };
}
