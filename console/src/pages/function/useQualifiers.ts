/** A function's versions and aliases, read once they are wanted. */

import { useCallback, useRef } from "react";
import { type AliasConfiguration, listAliases } from "../../api/aliases";
import type { Place } from "../../api/clients";
import type { Problem } from "../../api/errors";
import type { FunctionConfiguration } from "../../api/functions";
import { listVersions } from "../../api/versions";
import { useLoad } from "../../components/useLoad";

export interface Qualifiers {
  /** `$LATEST` first. What was read before stays, while it is read anew. */
  readonly versions?: readonly FunctionConfiguration[];
  readonly aliases?: readonly AliasConfiguration[];
  readonly loading: boolean;
  readonly problem?: Problem;
  readonly reload: () => void;
}

export function useQualifiers(place: Place, name: string, wanted: boolean): Qualifiers {
  const before = useRef<Pick<Qualifiers, "versions" | "aliases">>({});
  const load = useCallback(async () => {
    if (!wanted) return;
    const [versions, aliases] = await Promise.all([listVersions(place, name), listAliases(place, name)]);
    before.current = { versions, aliases };
  }, [place, name, wanted]);
  const { loaded, reload } = useLoad(load);
  return {
    ...before.current, reload, loading: wanted && loaded.state === "loading",
    problem: loaded.state === "failed" ? loaded.problem : undefined,
  };
}
