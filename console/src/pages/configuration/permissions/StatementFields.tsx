/** Fields of the form for a statement. */

import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import type { Editing } from "../../../components/EditForm";
import { ACTIONS, type Draft, SERVICES, serviceOf } from "./request";

export function ServiceFields({ draft, change }: Editing<Draft>) {
  const options = SERVICES.map(({ id, title, principal }) => ({ value: id, label: title, description: principal }));
  return (
    <>
      <FormField label="Service">
        <Select
          selectedOption={options.find(({ value }) => value === draft.service) ?? null} options={options}
          onChange={({ detail }) => change({ service: detail.selectedOption.value! })}
        />
      </FormField>
      {serviceOf(draft).id === "alexa" ? (
        <FormField label="Event source token - optional" description="The id of the skill that may invoke the function.">
          <Input value={draft.token} placeholder="amzn1.ask.skill.…" onChange={({ detail }) => change({ token: detail.value })} />
        </FormField>
      ) : (
        <>
          <FormField label="Source ARN - optional" description="What the service may act for. Without it: everything, of everybody.">
            <Input value={draft.sourceArn} placeholder="arn:aws:s3:::bucket" onChange={({ detail }) => change({ sourceArn: detail.value })} />
          </FormField>
          <FormField label="Source account - optional" description="Whose it has to be. Buckets need it: their ARNs name no account.">
            <Input value={draft.sourceAccount} placeholder="000000000000" onChange={({ detail }) => change({ sourceAccount: detail.value })} />
          </FormField>
        </>
      )}
    </>
  );
}

export function PrincipalField({ draft, change, problems }: Editing<Draft>) {
  const isService = draft.kind === "service";
  return (
    <FormField
      label="Principal" errorText={problems.principal}
      description={isService ? "The service's name." : "An account's id, or the ARN of a user or a role; * is everybody."}
    >
      <Input
        value={draft.principal} placeholder={isService ? "service.amazonaws.com" : "arn:aws:iam::000000000000:role/name"}
        onChange={({ detail }) => change({ principal: detail.value })}
      />
    </FormField>
  );
}

/** What may be done, and of an account, within which organization. */
export function AccountFields({ draft, change, problems }: Editing<Draft>) {
  return (
    <>
      {draft.kind === "account" && (
        <FormField label="Principal organization ID - optional" description="Whoever is meant has to belong to it.">
          <Input value={draft.organization} placeholder="o-…" onChange={({ detail }) => change({ organization: detail.value })} />
        </FormField>
      )}
      <FormField label="Action" errorText={problems.action}>
        <Autosuggest
          value={draft.action} options={ACTIONS.map((value) => ({ value }))} enteredTextLabel={(text) => `Use ${text}`}
          onChange={({ detail }) => change({ action: detail.value })}
        />
      </FormField>
    </>
  );
}
