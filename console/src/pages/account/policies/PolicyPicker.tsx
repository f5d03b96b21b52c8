/** Chooses among the account's managed policies and AWS's. */

import FormField from "@cloudscape-design/components/form-field";
import Multiselect from "@cloudscape-design/components/multiselect";
import { useCallback } from "react";
import { listPolicies } from "../../../api/iam/policies";
import { useConsole } from "../../../app/context";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useLoad } from "../../../components/useLoad";
import { isOfAws } from "./origin";

export function PolicyPicker({ label, chosen, onChange }: { label: string; chosen: readonly string[]; onChange: (arns: readonly string[]) => void }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listPolicies(place), [place]));
  if (loaded.state === "failed") return <ProblemAlert problem={loaded.problem} retry={reload} />;
  const options = loaded.state === "ready" ? loaded.value.map(({ Arn = "", PolicyName = "" }) => ({
    value: Arn, label: PolicyName, description: isOfAws(Arn) ? "AWS managed" : "Customer managed",
  })) : [];
  return (
    <FormField label={label}>
      <Multiselect
        options={options} selectedOptions={options.filter(({ value }) => chosen.includes(value))} filteringType="auto"
        filteringAriaLabel="Search policies" placeholder="Choose policies" statusType={loaded.state === "loading" ? "loading" : "finished"}
        loadingText="Loading policies" deselectAriaLabel={({ label: name }) => `Remove ${name}`}
        onChange={({ detail }) => onChange(detail.selectedOptions.map(({ value = "" }) => value))}
      />
    </FormField>
  );
}
