/** A function's latest invocations, and those before them when they are asked for. */

import { useCallback, useMemo, useState } from "react";
import type { Place } from "../../../api/clients";
import { type Problem, problemOf } from "../../../api/errors";
import type { FunctionConfiguration } from "../../../api/functions";
import { type LogEvent, logGroupOf, logPage } from "../../../api/logs";
import { useRefreshed } from "../../../components/useRefreshed";
import { isOf } from "../logs/lines";
import { type Invocation, PATTERN, invocationsOf } from "./invocations";

/** Asked for at once; and answers that are looked at before somebody is asked whether to go on. */
const STEP = 500;
const LOOKS = 20;

export interface Invocations {
  readonly all?: readonly Invocation[];
  readonly busy: boolean;
  /** Whether there is a log, and whether there may be more in it. */
  readonly absent: boolean;
  readonly more: boolean;
  readonly problem?: Problem;
  readonly reload: () => void;
  readonly earlier: () => void;
}

interface Read {
  readonly events: readonly LogEvent[];
  readonly more: boolean;
  readonly absent: boolean;
}

export function useInvocations(place: Place, found: FunctionConfiguration, every: number): Invocations {
  const group = logGroupOf(found), functionName = found.FunctionName ?? "";
  const [steps, setSteps] = useState(1);
  const load = useCallback((signal: AbortSignal) => latest(place, group, functionName, steps, signal), [place, group, functionName, steps]);
  const { value, problem, busy, reload } = useRefreshed(load, every);
  return {
    all: useMemo(() => value && invocationsOf(value.events), [value]), busy, absent: value?.absent ?? false, more: value?.more ?? false,
    problem, reload, earlier: useCallback(() => setSteps((before) => before + 1), []),
  };
}

async function latest(place: Place, group: string, functionName: string, steps: number, signal: AbortSignal): Promise<Read> {
  const events: LogEvent[] = [];
  let token: string | undefined;
  try {
    for (let look = 0; look < steps * LOOKS; look++) {
      const page = await logPage(place, group, { pattern: PATTERN, backward: true, limit: STEP, token }, signal);
      events.push(...page.events.filter(({ stream }) => isOf(functionName, stream)));
      token = page.token;
      if (token === undefined || events.length >= steps * STEP) break;
    }
  } catch (error) {
    if (problemOf(error).code === "ResourceNotFoundException") return { events: [], more: false, absent: true };
    throw error;
  }
  return { events, more: token !== undefined, absent: false };
}
