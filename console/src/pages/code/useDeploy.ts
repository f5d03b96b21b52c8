/** Deploys a workspace, one deployment at a time. */

import { useRef, useState } from "react";
import { type Problem, failed } from "../../api/errors";
import { type FunctionConfiguration, deploy as send } from "../../api/functions";
import { useConsole } from "../../app/context";
import { type Workspace, changes, deployedAs } from "../../packages/workspace";
import { writeZip } from "../../packages/zip";

/** `onDone` is given the workspace as it is by then, which may have been edited meanwhile. */
export function useDeploy(found: FunctionConfiguration, workspace: Workspace, onDone: (now: Workspace, codeSha256: string) => void) {
  const place = useConsole();
  const [deploying, setDeploying] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const latest = useRef(workspace);
  latest.current = workspace;
  const busy = useRef(false);

  async function deploy() {
    if (busy.current || changes(latest.current).size === 0) return;
    busy.current = true;
    setDeploying(true);
    setProblem(undefined);
    const { files } = latest.current;
    try {
      const answer = await send(place, found.FunctionName ?? "", writeZip(files.values()));
      onDone(deployedAs(latest.current, files), answer.CodeSha256 ?? "");
      place.notify("success", `The code of ${found.FunctionName} is deployed.`);
    } catch (error) {
      setProblem(failed(error));
    } finally {
      busy.current = false;
      setDeploying(false);
    }
  }
  return { deploy, deploying, problem };
}
