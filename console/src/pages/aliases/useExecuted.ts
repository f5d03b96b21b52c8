/** What ran on which version in the last minutes, looked at again and again. */

import { useEffect, useState } from "react";
import { type Problem, failed } from "../../api/errors";
import { executedVersions } from "../../api/executed";
import type { Place } from "../../api/clients";
import { useAgain } from "../../components/useAgain";

const BETWEEN_LOOKS = 3000;

export interface Executed {
  /** Of which minutes they are counted, so that those of a range before are not taken for it. */
  readonly minutes?: number;
  readonly counts?: ReadonlyMap<string, number>;
  readonly problem?: Problem;
}

export function useExecuted(place: Place, name: string, alias: string, minutes: number): Executed & { reload: () => void } {
  const [executed, setExecuted] = useState<Executed>({});
  const { times, reload } = useAgain(executed.problem);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const left = new AbortController();
    const look = async () => {
      try {
        const counts = await executedVersions(place, name, alias, minutes, left.signal);
        if (left.signal.aborted) return;
        setExecuted({ minutes, counts });
        timer = setTimeout(look, BETWEEN_LOOKS);
      } catch (error) {
        if (!left.signal.aborted) setExecuted((before) => ({ ...before, problem: failed(error) }));
      }
    };
    void look();
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [place, name, alias, minutes, times]);
  return { ...executed, reload };
}
