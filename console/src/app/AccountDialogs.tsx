/** Dialogs of the account menu: who somebody is, and switching to a role. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import { useCallback, useState } from "react";
import type { Place } from "../api/clients";
import { assumeRole, whoIs } from "../api/identity";
import type { Session } from "../api/session";
import { ActionDialog } from "../components/ActionDialog";
import { Dialog } from "../components/Dialog";
import { Shown } from "../components/Shown";
import { useLoad } from "../components/useLoad";
import { addressOf } from "./places";
import { follow } from "./router";

export function WhoDialog({ place, onClose }: { place: Place; onClose: () => void }) {
  const { loaded, reload } = useLoad(useCallback(() => whoIs(place), [place]));
  return (
    <Dialog header="Who am I" cancel="Close" onClose={onClose} action={null}>
      <Shown loaded={loaded} reload={reload} what="the identity">
        {({ account, arn, userId }) => (
          <KeyValuePairs
            items={[
              { label: "ARN", value: <Own arn={arn} region={place.region} onFollow={onClose} /> }, { label: "Account", value: account }, { label: "User ID", value: userId },
              { label: "Access key ID", value: place.session.credentials.accessKeyId },
            ]}
          />
        )}
      </Shown>
    </Dialog>
  );
}

/** A user's ARN leads to the user's own page, with keys and policies. */
function Own({ arn, region, onFollow }: { arn: string; region: string; onFollow: () => void }) {
  const user = /:user\/(?:.*\/)?([^/]+)$/.exec(arn)?.[1];
  if (user === undefined) return <>{arn}</>;
  const href = addressOf(region, { page: "account", section: "users", item: user });
  return <Link href={href} onFollow={(event) => { follow(event); onFollow(); }}>{arn}</Link>;
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
