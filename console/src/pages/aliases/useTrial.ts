/** Sends invocations to an alias, some at a time. */

import { useEffect, useRef, useState } from "react";
import type { Place } from "../../api/clients";
import { failed } from "../../api/errors";
import { invoke } from "../../api/invoke";
import { type Tried, answered, begun, refused } from "./trial";

/** Requests at one time. */
const ABREAST = 4;

export function useTrial(place: Place, name: string, qualifier: string, onDone: () => void) {
  const [tried, setTried] = useState<Tried>();
  const [running, setRunning] = useState(false);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  async function start(times: number, event: string): Promise<void> {
    if (running) return;
    const { signal } = (abort.current = new AbortController());
    let left = times, now = begun(times);
    const tell = (next: Tried) => setTried((now = next));
    tell(now);
    setRunning(true);
    const work = async () => {
      while (left-- > 0 && !signal.aborted) {
        try {
          const { version = "", functionError } = await invoke(place, { name, qualifier, way: "RequestResponse", event, signal, onText: () => {} });
          tell(answered(now, version, functionError !== undefined));
        } catch (error) {
          if (!signal.aborted) tell(refused(now, failed(error)));
        }
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
    setRunning(false);
    onDone();
  }
  return { running, tried, start, stop: () => abort.current?.abort() };
}
