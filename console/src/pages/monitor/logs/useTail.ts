/** A part of a log, kept up to date while it is watched. */

import { useCallback, useEffect, useMemo, useReducer, useState } from "react";
import type { Place } from "../../../api/clients";
import { type Problem, failed } from "../../../api/errors";
import { logPage } from "../../../api/logs";
import { useAction } from "../../../components/useAction";
import { useAgain } from "../../../components/useAgain";
import { LogWindow } from "./window";

const BETWEEN_LOOKS = 1000;
/** Where there is no log yet. */
const BETWEEN_LONG_LOOKS = 2000;

export interface Tail {
  readonly window: LogWindow;
  readonly state: "loading" | "ready" | "absent";
  /** Why it is not kept up to date, or could not be read back. */
  readonly problem?: Problem;
  /** While more of it is read that somebody asked for. */
  readonly busy: boolean;
  readonly reload: () => void;
  readonly earlier: () => void;
  readonly later: () => void;
  readonly clear: () => void;
}

/** `at`: epoch milliseconds to begin around; else the latest lines are read, and followed unless that is `paused`. */
export function useTail(place: Place, group: string, { pattern, at, paused }: { pattern?: string; at?: number; paused: boolean }): Tail {
  const window = useMemo(() => new LogWindow((wanted, signal) => logPage(place, group, wanted, signal), pattern), [place, group, pattern, at]);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [state, setState] = useState<{ of?: LogWindow; state: Tail["state"]; problem?: Problem }>({ state: "loading" });
  const { busy, problem: moreProblem, run } = useAction();
  const { times, reload } = useAgain(state.problem);
  const following = at === undefined && !paused;
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        if (!window.begun) await (at === undefined ? window.begin(abort.signal) : window.beginAt(at, abort.signal));
        else if (following && document.visibilityState === "visible") await window.follow(abort.signal);
        if (abort.signal.aborted) return;
        setState((before) => (before.of === window && before.state === "ready" && before.problem === undefined ? before : { of: window, state: "ready" }));
        redraw();
        if (following) timer = setTimeout(look, BETWEEN_LOOKS);
      } catch (error) {
        if (abort.signal.aborted) return;
        const problem = failed(error);
        if (problem.code === "ResourceNotFoundException") {
          setState({ of: window, state: "absent" });
          timer = setTimeout(look, BETWEEN_LONG_LOOKS);
        } else setState((before) => ({ of: window, state: before.of === window ? before.state : "loading", problem }));
      }
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [window, at, following, times]);
  const more = useCallback((work: "earlier" | "later") => void run(async () => {
    await window[work](new AbortController().signal);
    redraw();
  }), [window, run]);
  const clear = useCallback(() => { window.clear(); redraw(); }, [window]);
  const own = state.of === window ? state : { state: "loading" as const };
  return {
    window, state: own.state, problem: own.problem ?? moreProblem, busy, reload, clear,
    earlier: useCallback(() => more("earlier"), [more]), later: useCallback(() => more("later"), [more]),
  };
}
