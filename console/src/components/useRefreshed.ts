/** Something that is loaded, and loaded again every now and then. What was there before stays until then. */

import { useEffect, useState } from "react";
import { type Problem, failed } from "../api/errors";
import { useAgain } from "./useAgain";

export interface Refreshed<T> {
  readonly value?: T;
  /** Why the last try did not work. */
  readonly problem?: Problem;
  readonly busy: boolean;
  readonly reload: () => void;
}

/** Begins anew whenever `load` changes. `every`: seconds, 0 for never. Nothing is loaded while nobody sees the page. */
export function useRefreshed<T>(load: (signal: AbortSignal) => Promise<T>, every: number): Refreshed<T> {
  const [state, setState] = useState<Omit<Refreshed<T>, "reload">>({ busy: true });
  const { times, reload } = useAgain(state.problem);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      if (document.visibilityState === "visible") {
        setState((before) => ({ ...before, busy: true }));
        const next = await load(abort.signal).then(
          (value) => ({ value, busy: false }), (error: unknown) => abort.signal.aborted ? undefined : { problem: failed(error), busy: false },
        );
        if (abort.signal.aborted || next === undefined) return;
        setState((before) => ({ value: before.value, ...next }));
      }
      if (every > 0) timer = setTimeout(look, every * 1000);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [load, every, times]);
  return { ...state, reload };
}
