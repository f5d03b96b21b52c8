/** Whether everybody may use a URL that asks nobody who they are: the policy has to say so, too. */

import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useCallback } from "react";
import { getPolicy } from "../../../api/policies";
import { missingGrants } from "../../../api/publicUrl";
import { openToEverybody } from "../../../api/urls";
import { useConsole } from "../../../app/context";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Shown } from "../../../components/Shown";
import { useAction } from "../../../components/useAction";
import { useLoad } from "../../../components/useLoad";

export function PublicAccess({ name, qualifier }: { name: string; qualifier?: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => getPolicy(place, name, qualifier), [place, name, qualifier]));
  const { busy, problem, run } = useAction();
  const open = async () => { if (await run(() => openToEverybody(place, name, qualifier))) reload(); };
  return (
    <Shown loaded={loaded} what="the policy" reload={reload}>
      {(policy) => missingGrants(policy?.document).length === 0
        ? <StatusIndicator type="success">Everybody may call it: the resource-based policy says so.</StatusIndicator>
        : (
          <SpaceBetween size="s">
            {problem && <ProblemAlert problem={problem} />}
            <Alert
              type="warning" header="Not everybody may call it"
              action={<Button loading={busy} onClick={() => void open()}>Allow everybody</Button>}
            >
              The URL asks nobody who they are, but the resource-based policy lacks the statements that let everybody use it.
            </Alert>
          </SpaceBetween>
        )}
    </Shown>
  );
}
