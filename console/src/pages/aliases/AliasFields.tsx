/** The fields of an alias: which version it leads to, and how much of it to another. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import Slider from "@cloudscape-design/components/slider";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { FunctionConfiguration } from "../../api/functions";
import { LATEST } from "../../app/places";
import type { Editing } from "../../components/EditForm";
import { type Draft, isPercent } from "./draft";

const NONE = { value: "", label: "None" };

/** `named`: with a name, that a new one is still to be given. */
export function AliasFields({ editing: { draft, change, problems }, versions, named = false }: {
  editing: Editing<Draft>; versions: readonly FunctionConfiguration[]; named?: boolean;
}) {
  const options = versions.map(({ Version: value = "", Description }) => ({ value, label: value, description: Description || undefined })).reverse();
  const find = (value: string) => [NONE, ...options].find((each) => each.value === value) ?? { value, label: value };
  return (
    <SpaceBetween size="l">
      {named && (
        <FormField label="Name" errorText={problems.name}>
          <Input value={draft.name} autoFocus onChange={({ detail }) => change({ name: detail.value.trim() })} />
        </FormField>
      )}
      <FormField label="Description - optional">
        <Input value={draft.description} onChange={({ detail }) => change({ description: detail.value })} />
      </FormField>
      <FormField label="Version" errorText={problems.version}>
        <Select
          selectedOption={draft.version === "" ? null : find(draft.version)} options={options} filteringType="auto" filteringAriaLabel="Search versions"
          onChange={({ detail }) => change({ version: detail.selectedOption.value! })}
        />
      </FormField>
      <FormField label="Additional version" description="Takes a share of the invocations." errorText={problems.additional}>
        <Select
          selectedOption={find(draft.additional)} options={[NONE, ...options.filter(({ value }) => value !== LATEST)]}
          filteringType="auto" filteringAriaLabel="Search additional versions"
          onChange={({ detail }) => change({ additional: detail.selectedOption.value! })}
        />
      </FormField>
      {draft.additional !== "" && <Weight {...{ draft, change, problems }} />}
    </SpaceBetween>
  );
}

function Weight({ draft: { version, additional, percent }, change, problems }: Editing<Draft>) {
  const value = isPercent(percent) ? Number(percent) : 0;
  const rest = Number((100 - value).toFixed(4));
  return (
    <FormField
      label="Weight (%)" description="The share of the additional version." errorText={problems.percent}
      constraintText={`Version ${additional} gets ${value} %, version ${version} ${rest} % of the invocations.`}
    >
      <div className="weight">
        <Slider
          value={value} min={0} max={100} step={1} ariaLabel={`Share of version ${additional}`} valueFormatter={(shown) => `${shown} %`}
          onChange={({ detail }) => change({ percent: String(detail.value) })}
        />
        <Input value={percent} inputMode="decimal" ariaLabel="Weight (%)" onChange={({ detail }) => change({ percent: detail.value.trim() })} />
      </div>
    </FormField>
  );
}
