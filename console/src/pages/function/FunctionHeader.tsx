/** The name of what is shown, and the way to another version or alias of it. */

import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Select, { type SelectProps } from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useConsole } from "../../app/context";
import { type FunctionPlace, LATEST, addressOf } from "../../app/places";
import { navigate } from "../../app/router";
import type { Qualifiers } from "./useQualifiers";

/** `onOpen`: somebody is about to choose. `onDelete` deletes the function, where that can be asked for. */
export function FunctionHeader({ at, qualifiers, onOpen, onDelete }: {
  at: FunctionPlace; qualifiers: Qualifiers; onOpen: () => void; onDelete?: () => void;
}) {
  const { region } = useConsole();
  const { problem, loading } = qualifiers;
  const chosen = at.qualifier ?? LATEST;
  return (
    <Header
      variant="h1"
      actions={
        <SpaceBetween direction="horizontal" size="xs" alignItems="center">
          <div className="qualifier">
            <Select
              inlineLabelText="Qualifier"
              options={optionsOf(qualifiers)}
              selectedOption={{ value: chosen, label: chosen }}
              filteringType="auto" filteringAriaLabel="Search versions and aliases" expandToViewport
              statusType={problem ? "error" : loading ? "loading" : "finished"}
              loadingText="Loading versions and aliases" errorText={problem?.message} recoveryText="Try again"
              onFocus={onOpen}
              onLoadItems={({ detail }) => detail.samePage && qualifiers.reload()}
              onChange={({ detail }) => navigate(addressOf(region, { ...at, qualifier: qualifierAt(detail.selectedOption.value) }))}
            />
          </div>
          {onDelete && <Button onClick={onDelete}>Delete</Button>}
        </SpaceBetween>
      }
    >
      {at.qualifier === undefined ? at.name : `${at.name}:${at.qualifier}`}
    </Header>
  );
}

function qualifierAt(value: string | undefined): string | undefined {
  return value === LATEST ? undefined : value;
}

/** `$LATEST`, then aliases, then versions, the newest first. */
export function optionsOf({ versions = [], aliases = [] }: Qualifiers): (SelectProps.Option | SelectProps.OptionGroup)[] {
  const published = versions.filter(({ Version }) => Version !== LATEST).reverse();
  const groups = [
    { label: "Aliases", options: aliases.map(({ Name, FunctionVersion }) => ({ value: Name, label: Name, description: `Version ${FunctionVersion}` })) },
    { label: "Versions", options: published.map(({ Version, Description }) => ({ value: Version, label: Version, description: Description || undefined })) },
  ];
  return [{ value: LATEST, label: LATEST, description: "What is edited" }, ...groups.filter(({ options }) => options.length > 0)];
}
