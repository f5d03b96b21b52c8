/** All functions of an account and region with their tags, growing while pages of them come. */

import { useEffect, useState } from "react";
import { type Problem, failed } from "../../api/errors";
import { type FunctionConfiguration, listFunctions } from "../../api/functions";
import { type Tags, tagsOfFunctions } from "../../api/tags";
import type { Place } from "../../api/clients";
import { useAgain } from "../../components/useAgain";
import { type Row, rowOf } from "./rows";

/** Between two renderings while pages come. Milliseconds. */
const OFTEN = 200;

export interface Functions {
  readonly rows: readonly Row[];
  readonly loading: boolean;
  readonly problem?: Problem;
  /** Why there are no tags, if there are none for a reason. */
  readonly tagProblem?: Problem;
}

const NOTHING: Functions = { rows: [], loading: true };

export function useFunctions(place: Place): Functions & { reload: () => void } {
  const [found, setFound] = useState<Functions>(NOTHING);
  const { times, reload } = useAgain(found.problem);
  useEffect(() => {
    const abort = new AbortController();
    const show = (now: Functions) => abort.signal.aborted || setFound(now);
    setFound((before) => (times === 0 ? NOTHING : { ...before, loading: true, problem: undefined }));
    void load(place, abort.signal, show, times === 0);
    return () => abort.abort();
  }, [place, times]);
  return { ...found, reload };
}

async function load(place: Place, signal: AbortSignal, show: (now: Functions) => void, growing: boolean): Promise<void> {
  const tags = readTags(place, signal);
  const read: FunctionConfiguration[] = [];
  const rows = (of: ReadonlyMap<string, Tags>) => read.map((each) => rowOf(each, of.get(each.FunctionArn ?? "")));
  let shown = performance.now();
  try {
    for await (const page of listFunctions(place, signal)) {
      read.push(...page);
      if (growing && performance.now() - shown > OFTEN) {
        show({ rows: rows(new Map()), loading: true });
        shown = performance.now();
      }
    }
  } catch (error) {
    if (!signal.aborted) show({ rows: rows(new Map()), loading: false, problem: failed(error) });
    return;
  }
  show({ rows: rows(new Map()), loading: true });
  const { of, problem } = await tags;
  show({ rows: rows(of), loading: false, tagProblem: problem });
}

async function readTags(place: Place, signal: AbortSignal): Promise<{ of: Map<string, Tags>; problem?: Problem }> {
  try {
    return { of: await tagsOfFunctions(place, signal) };
  } catch (error) {
    return { of: new Map(), problem: failed(error) };
  }
}
