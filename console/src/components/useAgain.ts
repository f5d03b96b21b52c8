/** How often something was begun again: when it was asked for, and once a lost server is back. */

import { useCallback, useEffect, useState } from "react";
import { watchConnection } from "../api/connection";
import type { Problem } from "../api/errors";

/** `problem` is what the last try came to. Effects that depend on `times` run again. */
export function useAgain(problem: Problem | undefined): { times: number; reload: () => void } {
  const [times, setTimes] = useState(0);
  const reload = useCallback(() => setTimes((before) => before + 1), []);
  const broken = problem?.kind === "unreachable";
  useEffect(() => (broken ? watchConnection((connected) => connected && reload()) : undefined), [broken, reload]);
  return { times, reload };
}
