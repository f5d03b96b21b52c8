/** Something that somebody asked for and that takes a while, once at a time. */

import { useCallback, useRef, useState } from "react";
import { type Problem, failed } from "../api/errors";

export interface Action {
  readonly busy: boolean;
  /** Why the last one did not work. */
  readonly problem?: Problem;
  /** Tells whether it worked. What it raises is the problem. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly forget: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const running = useRef(false);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(failed(error));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const forget = useCallback(() => setProblem(undefined), []);
  return { busy, problem, run, forget };
}
