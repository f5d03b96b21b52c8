/** Records of the audit log, more of them as they are asked for. */

import { useCallback, useEffect, useRef, useState } from "react";
import { type AuditPage, readAudit } from "../../../api/audit";
import type { Place } from "../../../api/clients";
import { type Problem, failed } from "../../../api/errors";
import { useAgain } from "../../../components/useAgain";
import { type Filter, inputOf } from "./filter";

interface State {
  readonly found: AuditPage;
  readonly loading: boolean;
  readonly problem?: Problem;
}

const NOTHING: State = { found: { records: [], recording: true }, loading: true };

export function useAudit(place: Place, filter: Filter): State & { more: () => void; reload: () => void } {
  const [state, setState] = useState(NOTHING);
  const { times, reload } = useAgain(state.problem);
  const abort = useRef<AbortController>(undefined);
  const read = useCallback(async (before: AuditPage) => {
    abort.current?.abort();
    const { signal } = (abort.current = new AbortController());
    setState({ found: before, loading: true });
    try {
      const page = await readAudit(place, inputOf(filter, new Date()), before.next, signal);
      if (!signal.aborted) setState({ found: { ...page, records: [...before.records, ...page.records] }, loading: false });
    } catch (error) {
      if (!signal.aborted) setState({ found: before, loading: false, problem: failed(error) });
    }
  }, [place, filter]);
  useEffect(() => {
    void read(NOTHING.found);
    return () => abort.current?.abort();
  }, [read, times]);
  return { ...state, more: () => void read(state.found), reload };
}
