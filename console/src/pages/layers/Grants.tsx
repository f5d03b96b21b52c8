/** Who may use a layer's version besides its own account. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { type Grant, addLayerGrant, layerGrants, removeLayerGrant } from "../../api/layers";
import { useConsole } from "../../app/context";
import { ConfirmButton } from "../../components/ConfirmButton";
import { EditForm, type Problems } from "../../components/EditForm";
import { ListTable } from "../../components/ListTable";
import { useLoad } from "../../components/useLoad";

interface Draft {
  readonly sid: string;
  readonly principal: string;
  readonly organization: string;
}

export function Grants({ name, version }: { name: string; version: number }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => layerGrants(place, name, version), [place, name, version]));
  const [adding, setAdding] = useState(false);
  return (
    <SpaceBetween size="l">
      {adding && (
        <EditForm<Draft>
          title="Add permission" action="Add" done="The permission is added." start={{ sid: "", principal: "", organization: "" }} check={check}
          save={(draft) => addLayerGrant(place, name, version, draft)} saved={reload} onClose={() => setAdding(false)}
          form={({ draft, change, problems }) => (
            <>
              <FormField label="Statement ID" description="A name of your choice." errorText={problems.sid}>
                <Input value={draft.sid} autoFocus onChange={({ detail }) => change({ sid: detail.value.trim() })} />
              </FormField>
              <FormField label="Principal" description="The id of an account, or * for everybody." errorText={problems.principal}>
                <Input value={draft.principal} onChange={({ detail }) => change({ principal: detail.value.trim() })} />
              </FormField>
              <FormField label="Organization ID - optional" description="Of everybody only those in the organization." errorText={problems.organization}>
                <Input value={draft.organization} onChange={({ detail }) => change({ organization: detail.value.trim() })} />
              </FormField>
            </>
          )}
        />
      )}
      <ListTable<Grant>
        title="Permissions" variant="h2" description="Who may attach this version besides its own account." loaded={loaded} reload={reload} searchable={false}
        empty="Only its own account may use it." trackBy={({ sid }) => sid}
        actions={<Button disabled={adding} onClick={() => setAdding(true)}>Add permission</Button>}
        columns={[
          { id: "sid", header: "Statement ID", value: ({ sid }) => sid, cell: ({ sid }) => sid },
          { id: "principal", header: "Principal", value: ({ principal }) => principal, cell: ({ principal }) => principal },
          { id: "organization", header: "Organization", cell: ({ organization }) => organization ?? "-" },
          { id: "actions", header: "Actions", cell: ({ sid, principal }) => (
            <ConfirmButton
              name={`Remove permission ${sid}`} header={`Remove permission ${sid}`}
              question={`${principal === "*" ? "Others" : principal} cannot attach this version any more. Functions that have it keep it.`}
              run={() => removeLayerGrant(place, name, version, sid)} done={`The permission ${sid} is removed.`} after={reload}
            >
              Remove
            </ConfirmButton>
          ) },
        ]}
      />
    </SpaceBetween>
  );
}

function check({ sid, principal, organization }: Draft): Problems<Draft> {
  return {
    ...(/^[a-zA-Z0-9-_]{1,100}$/.test(sid) ? {} : { sid: "1 to 100 characters: letters without accents, digits, hyphens and underscores." }),
    ...(/^(\d{12}|\*|arn:\S+)$/.test(principal) ? {} : { principal: "An account has 12 digits. Everybody is *." }),
    ...(organization === "" || principal === "*" ? {} : { organization: "Organizations go with the principal *." }),
  };
}
