/** Dialogs of the account menu: who somebody is, and switching to a role. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useCallback, useState } from "react";
import type { Place } from "../api/clients";
import { assumeRole, whoIs } from "../api/identity";
import type { Session } from "../api/session";
import { ActionDialog } from "../components/ActionDialog";
import { Dialog } from "../components/Dialog";
import { Shown } from "../components/Shown";
import { useLoad } from "../components/useLoad";

export function WhoDialog({ place, onClose }: { place: Place; onClose: () => void }) {
  const { loaded, reload } = useLoad(useCallback(() => whoIs(place), [place]));
  return (
    <Dialog header="Who am I" cancel="Close" onClose={onClose} action={null}>
      <Shown loaded={loaded} reload={reload} what="the identity">
        {({ account, arn, userId }) => (
          <KeyValuePairs
            items={[
              { label: "ARN", value: arn }, { label: "Account", value: account }, { label: "User ID", value: userId },
              { label: "Access key ID", value: place.session.credentials.accessKeyId },
            ]}
          />
        )}
      </Shown>
    </Dialog>
  );
}

export function SwitchDialog({ place, onDone, onClose }: { place: Place; onDone: (session: Session) => void; onClose: () => void }) {
  const [role, setRole] = useState(""), [name, setName] = useState("console");
  const run = async () => onDone(await assumeRole(place, role.trim(), name.trim()));
  return (
    <ActionDialog
      header="Switch role" action="Switch role" disabled={role.trim() === "" || name.trim() === ""} run={run} onDone={onClose} onClose={onClose}
    >
      <FormField label="Role ARN" description="Its trust policy has to let you in.">
        <Input
          value={role} autoFocus spellcheck={false} placeholder={`arn:aws:iam::${place.session.account}:role/NAME`}
          onChange={({ detail }) => setRole(detail.value)}
        />
      </FormField>
      <FormField label="Session name" description="Ends the ARN that you have meanwhile.">
        <Input value={name} spellcheck={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </ActionDialog>
  );
}
