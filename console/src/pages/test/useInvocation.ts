/** Runs one invocation at a time, and keeps what came of it. */

import { useRef, useState } from "react";
import { failed } from "../../api/errors";
import { type FunctionConfiguration, qualifierOf } from "../../api/functions";
import { type Way, invoke } from "../../api/invoke";
import { useConsole } from "../../app/context";
import { type Run, keepRun } from "./runs";

export function useInvocation(found: FunctionConfiguration, onDone: (runs: readonly Run[]) => void) {
  const place = useConsole();
  const [running, setRunning] = useState(false);
  const [text, setText] = useState("");
  const abort = useRef<AbortController>(undefined);

  async function run(way: Way, event: string): Promise<void> {
    if (abort.current) return;
    const control = new AbortController();
    abort.current = control;
    setRunning(true);
    setText("");
    const at = new Date(), started = performance.now();
    const done = (came: Pick<Run, "outcome" | "problem">) =>
      onDone(keepRun(found.FunctionArn ?? "", { way, at, took: performance.now() - started, ...came }));
    try {
      done({ outcome: await invoke(place, {
        name: found.FunctionName ?? "", qualifier: qualifierOf(found), way, event, signal: control.signal, onText: setText,
      }) });
    } catch (error) {
      // The function goes on: nobody waits for it any more.
      done({ problem: control.signal.aborted ? { kind: "refused", message: "Waiting was stopped; the function goes on." } : failed(error) });
    } finally {
      abort.current = undefined;
      setRunning(false);
    }
  }
  return { run, running, text, stop: () => abort.current?.abort() };
}
