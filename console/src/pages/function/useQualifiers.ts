/** A function's versions and aliases, read once they are wanted. Who may see only one of both sees that. */

import { useCallback, useRef } from "react";
import { type AliasConfiguration, listAliases } from "../../api/aliases";
import type { Place } from "../../api/clients";
import { type Problem, failed } from "../../api/errors";
import type { FunctionConfiguration } from "../../api/functions";
import { listVersions } from "../../api/versions";
import { useLoad } from "../../components/useLoad";

interface Read {
  /** `$LATEST` first. What was read before stays, while it is read anew. */
  readonly versions?: readonly FunctionConfiguration[];
  readonly aliases?: readonly AliasConfiguration[];
  readonly versionsProblem?: Problem;
  readonly aliasesProblem?: Problem;
}

export interface Qualifiers extends Read {
  /** Of either. */
  readonly problem?: Problem;
  readonly loading: boolean;
  readonly reload: () => void;
}

export function useQualifiers(place: Place, name: string, wanted: boolean): Qualifiers {
  const before = useRef<Read>({});
  const load = useCallback(async () => {
    if (!wanted) return;
    const [versions, aliases] = await Promise.allSettled([listVersions(place, name), listAliases(place, name)]);
    before.current = {
      versions: versions.status === "fulfilled" ? versions.value : undefined, versionsProblem: problemIn(versions),
      aliases: aliases.status === "fulfilled" ? aliases.value : undefined, aliasesProblem: problemIn(aliases),
    };
  }, [place, name, wanted]);
  const { loaded, reload } = useLoad(load);
  const lost = loaded.state === "failed" ? { versionsProblem: loaded.problem, aliasesProblem: loaded.problem } : {};
  const now: Read = { ...before.current, ...lost };
  return { ...now, problem: now.versionsProblem ?? now.aliasesProblem, reload, loading: wanted && loaded.state === "loading" };
}

/** A lost connection is no answer: it is raised, so that all is read again once it is back. */
function problemIn(settled: PromiseSettledResult<unknown>): Problem | undefined {
  if (settled.status === "fulfilled") return undefined;
  const problem = failed(settled.reason);
  if (problem.kind === "unreachable") throw settled.reason;
  return problem;
}
