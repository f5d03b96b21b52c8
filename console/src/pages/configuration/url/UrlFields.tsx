/** The form for a function URL. */

import Alert from "@cloudscape-design/components/alert";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Textarea from "@cloudscape-design/components/textarea";
import type { Editing } from "../../../components/EditForm";
import { type Draft, METHODS } from "./settings";

export function UrlFields(editing: Editing<Draft>) {
  const { draft, change } = editing;
  return (
    <>
      <FormField label="Auth type" description="Who may call it.">
        <RadioGroup
          value={draft.authType} ariaLabel="Auth type" onChange={({ detail }) => change({ authType: detail.value as Draft["authType"] })}
          items={[
            { value: "AWS_IAM", label: "AWS_IAM", description: "Only signed requests of those who are allowed to." },
            { value: "NONE", label: "NONE", description: "Everybody, unsigned." },
          ]}
        />
      </FormField>
      {draft.authType === "NONE" && (
        <Alert type="warning">
          Everybody who reaches the server can then invoke the function: the two statements that allow it are added to the resource-based
          policy.
        </Alert>
      )}
      <FormField label="Invoke mode">
        <RadioGroup
          value={draft.invokeMode} ariaLabel="Invoke mode" onChange={({ detail }) => change({ invokeMode: detail.value as Draft["invokeMode"] })}
          items={[
            { value: "BUFFERED", label: "BUFFERED", description: "The answer is sent when it is complete." },
            { value: "RESPONSE_STREAM", label: "RESPONSE_STREAM", description: "The answer is sent as it is written." },
          ]}
        />
      </FormField>
      <Checkbox
        checked={draft.cors} description="Which pages of other origins may call it." onChange={({ detail }) => change({ cors: detail.checked })}
      >
        Configure cross-origin resource sharing (CORS)
      </Checkbox>
      {draft.cors && <CorsFields {...editing} />}
    </>
  );
}

function CorsFields({ draft, change, problems }: Editing<Draft>) {
  const methods = METHODS.map((value) => ({ value, label: value }));
  return (
    <>
      <FormField label="Allow origin" description="One on each line: https://example.com, or * for all.">
        <Textarea value={draft.origins} rows={2} onChange={({ detail }) => change({ origins: detail.value })} />
      </FormField>
      <FormField label="Expose headers - optional" description="Of the answer, for pages to read. One on each line.">
        <Textarea value={draft.exposed} rows={2} onChange={({ detail }) => change({ exposed: detail.value })} />
      </FormField>
      <FormField label="Allow headers - optional" description="Of the request. One on each line.">
        <Textarea value={draft.headers} rows={2} onChange={({ detail }) => change({ headers: detail.value })} />
      </FormField>
      <FormField label="Allow methods - optional">
        <Multiselect
          placeholder="Choose methods" options={methods} selectedOptions={methods.filter(({ value }) => draft.methods.includes(value))}
          onChange={({ detail }) => change({ methods: detail.selectedOptions.map(({ value }) => value!) })}
          deselectAriaLabel={({ label }) => `Remove ${label}`}
        />
      </FormField>
      <FormField label="Max age (seconds)" description="For how long browsers keep what was answered. 0 to 86400." errorText={problems.maxAge}>
        <Input value={draft.maxAge} inputMode="numeric" onChange={({ detail }) => change({ maxAge: detail.value })} />
      </FormField>
      <Checkbox checked={draft.credentials} onChange={({ detail }) => change({ credentials: detail.checked })}>Allow credentials</Checkbox>
    </>
  );
}
