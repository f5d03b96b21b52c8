/** What is looked for in the audit log. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import { useEffect, useState } from "react";
import { CALLS, type Filter, OUTCOMES, RANGES } from "./filter";

const TIMES = Object.fromEntries(Object.entries(RANGES).map(([id, { title }]) => [id, title])) as Record<Filter["range"], string>;
const THIRD = { default: 12, s: 4 } as const;

/** Texts count once they are searched for, choices at once. */
export function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const [draft, setDraft] = useState(filter);
  useEffect(() => setDraft(filter), [filter]);
  const choice = <Id extends string>(label: string, name: keyof Filter, options: Readonly<Record<Id, string>>) => (
    <FormField label={label}>
      <Select
        selectedOption={{ value: filter[name], label: options[filter[name] as Id] }}
        options={(Object.keys(options) as Id[]).map((value) => ({ value, label: options[value] }))}
        onChange={({ detail }) => onChange({ ...draft, [name]: detail.selectedOption.value })}
      />
    </FormField>
  );
  const text = (label: string, name: keyof Filter, placeholder: string) => (
    <FormField label={label}>
      <Input value={draft[name]} placeholder={placeholder} spellcheck={false} onChange={({ detail }) => setDraft({ ...draft, [name]: detail.value })} />
    </FormField>
  );
  return (
    <form onSubmit={(event) => { event.preventDefault(); onChange(draft); }}>
      <Grid gridDefinition={[...Array.from({ length: 6 }, () => ({ colspan: THIRD })), { colspan: 12 }]}>
        {choice("Time", "range", TIMES)}
        {choice("Calls", "calls", CALLS)}
        {choice("Result", "outcome", OUTCOMES)}
        {text("Operation", "operation", "DeleteFunction")}
        {text("Who", "principal", "ARN of a user, role session or root")}
        {text("Error code", "code", "AccessDenied")}
        <Button formAction="submit">Search</Button>
      </Grid>
    </form>
  );
}
