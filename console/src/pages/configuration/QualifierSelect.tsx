/** Chooses a version or an alias of the function. */

import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useConsole } from "../../app/context";
import { LATEST } from "../../app/places";
import { optionsOf } from "../function/FunctionHeader";
import { useQualifiers } from "../function/useQualifiers";

export function QualifierSelect({ name, label, value, latest = false, problem, onChange }: {
  name: string;
  label: string;
  value: string | undefined;
  /** Whether `$LATEST` is among what can be chosen. */
  latest?: boolean;
  problem?: string;
  onChange: (qualifier: string) => void;
}) {
  const qualifiers = useQualifiers(useConsole(), name, true);
  const options = optionsOf(qualifiers).filter((option) => latest || !("value" in option) || option.value !== LATEST);
  return (
    <FormField label={label} errorText={problem}>
      <Select
        selectedOption={value === undefined ? null : { value, label: value }}
        options={options}
        placeholder="Choose an alias or a version"
        filteringType="auto" filteringAriaLabel="Search versions and aliases"
        statusType={qualifiers.problem ? "error" : qualifiers.loading ? "loading" : "finished"}
        loadingText="Loading versions and aliases" errorText={qualifiers.problem?.message} recoveryText="Try again"
        empty="The function has neither versions nor aliases."
        onLoadItems={({ detail }) => detail.samePage && qualifiers.reload()}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? "")}
      />
    </FormField>
  );
}
