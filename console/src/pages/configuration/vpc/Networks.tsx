/** The private network that the function is attached to. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { updateConfiguration } from "../../../api/configuration";
import type { FunctionConfiguration } from "../../../api/functions";
import { describeHost } from "../../../api/host";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { Settings } from "../../../components/Settings";
import { useLoad } from "../../../components/useLoad";
import { type SectionProps, closedNow } from "../section";
import { Attached } from "./Attached";
import { VpcFields } from "./VpcFields";
import { unenforced } from "./enforcement";
import { type Draft, check, configOf, detached, draftOf } from "./settings";

export default function Networks({ found, reload }: SectionProps) {
  const place = useConsole();
  const draft = draftOf(found.VpcConfig), attached = draft.vpc !== "";
  return (
    <SpaceBetween size="l">
      <Enforcement />
      {attached && <Refusal found={found} />}
      <Settings<Draft>
        title="VPC" description="A private network, and what the function reaches from it." start={() => draft} check={check} saved={reload}
        save={(changed) => updateConfiguration(place, found, { VpcConfig: configOf(changed) })} closed={closedNow(found)}
        form={(editing) => <VpcFields {...editing} />}
        actions={attached && (
          <ConfirmButton
            header={`Detach the function from ${draft.vpc}`} question="It reaches the private network no more, and what the machine lets out instead."
            closed={closedNow(found)} run={() => updateConfiguration(place, found, { VpcConfig: detached })} done="The function is detached."
            after={reload}
          >
            Detach
          </ConfirmButton>
        )}
      >
        {attached
          ? <Attached draft={draft} />
          : <Box color="text-body-secondary">In no VPC: the function reaches what the machine lets out, and no private network.</Box>}
      </Settings>
    </SpaceBetween>
  );
}

/** Why the function does not run in the network that it has. */
function Refusal({ found }: { found: FunctionConfiguration }) {
  const reason = found.State === "Failed" ? [found.StateReasonCode, found.StateReason]
    : found.LastUpdateStatus === "Failed" ? [found.LastUpdateStatusReasonCode, found.LastUpdateStatusReason] : undefined;
  if (reason === undefined) return null;
  return <Alert type="error" header="The function cannot run in this network">{reason.filter(Boolean).join(": ")}</Alert>;
}

/** Said where this server does not do what networks say. Who may not know about the machine is told once it fails. */
function Enforcement() {
  const place = useConsole();
  const { loaded } = useLoad(useCallback(() => describeHost(place), [place]));
  const reason = loaded.state === "ready" ? unenforced(loaded.value) : undefined;
  if (reason === undefined) return null;
  return (
    <Alert type="warning" header="This server does not enforce networks">
      {reason} Functions in a VPC fail here, or run without their network if the setting unenforced_vpc accepts that.
    </Alert>
  );
}
