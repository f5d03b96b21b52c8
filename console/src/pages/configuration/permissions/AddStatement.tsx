/** A statement by form, in AWS's three kinds. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Tiles from "@cloudscape-design/components/tiles";
import { addPermissions } from "../../../api/policies";
import { useConsole } from "../../../app/context";
import { EditForm, type Editing } from "../../../components/EditForm";
import { AccountFields, PrincipalField, ServiceFields } from "./StatementFields";
import type { Subject } from "../holders";
import { type Draft, EMPTY, type Kind, check, invokeId, needsPrincipal, ofKind, permissionsOf } from "./request";

export function AddStatement({ subject, onClose, saved }: { subject: Subject; onClose: () => void; saved: () => void }) {
  const place = useConsole();
  return (
    <EditForm<Draft>
      title="Add permissions" description={`To use ${subject.arn}.`} action="Add" done="The permissions are added." start={EMPTY} check={check}
      save={(draft) => addPermissions(place, subject.name, subject.qualifier, permissionsOf(draft))} saved={saved} onClose={onClose}
      form={(editing) => (
        <>
          <Tiles
            value={editing.draft.kind} ariaLabel="Whom to allow" onChange={({ detail }) => editing.change(ofKind(detail.value as Kind))}
            items={[
              { value: "account", label: "AWS account", description: "An account, a user or a role." },
              { value: "service", label: "AWS service", description: "A service that invokes the function." },
              { value: "url", label: "Function URL", description: "Those who call the function by its URL." },
            ]}
          />
          {editing.draft.kind === "service" && <ServiceFields {...editing} />}
          {editing.draft.kind === "url" && <UrlFields {...editing} />}
          {needsPrincipal(editing.draft) && <PrincipalField {...editing} />}
          <FormField
            label="Statement ID" errorText={editing.problems.id}
            description={editing.draft.kind === "url" ? `A second statement, ${invokeId(editing.draft.id.trim() || "ID")}, goes with it.` : "A name within the policy."}
          >
            <Input value={editing.draft.id} onChange={({ detail }) => editing.change({ id: detail.value })} />
          </FormField>
          {editing.draft.kind !== "url" && <AccountFields {...editing} />}
        </>
      )}
    />
  );
}

function UrlFields({ draft, change }: Editing<Draft>) {
  const choose = (authType: Draft["authType"]) =>
    change({ authType, id: authType === "NONE" ? ofKind("url").id : draft.id === ofKind("url").id ? "" : draft.id });
  return (
    <FormField label="Auth type">
      <RadioGroup
        value={draft.authType} ariaLabel="Auth type" onChange={({ detail }) => choose(detail.value as Draft["authType"])}
        items={[
          { value: "NONE", label: "NONE", description: "Everybody may call a URL that asks nobody who they are." },
          { value: "AWS_IAM", label: "AWS_IAM", description: "Somebody may call it with signed requests." },
        ]}
      />
    </FormField>
  );
}
