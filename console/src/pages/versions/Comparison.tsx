/** Two versions: how their settings differ, and how their files do. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { getConfiguration } from "../../api/functions";
import { useConsole } from "../../app/context";
import { LATEST, addressOf } from "../../app/places";
import { follow, navigate } from "../../app/router";
import { Shown } from "../../components/Shown";
import { useLoad } from "../../components/useLoad";
import type { Qualifiers } from "../function/useQualifiers";
import { CodeComparison } from "./CodeComparison";
import { SettingsComparison } from "./SettingsComparison";

export function Comparison({ name, before, after, qualifiers }: { name: string; before: string; after: string; qualifiers: Qualifiers }) {
  const place = useConsole();
  const load = useCallback(async () => {
    const [one, other] = await Promise.all([before, after].map((version) => getConfiguration(place, name, version)));
    return { one: one!, other: other! };
  }, [place, name, before, after]);
  const { loaded, reload } = useLoad(load);
  const at = (section?: string) => addressOf(place.region, { page: "function", name, tab: "versions", section });
  const options = (qualifiers.versions ?? []).map(({ Version: value = LATEST, Description }) => ({ value, label: value, description: Description }));
  const chooser = (label: string, value: string, go: (version: string) => string) => (
    <FormField label={label}>
      <Select
        selectedOption={{ value, label: value }} options={options} filteringType="auto" filteringAriaLabel="Search versions"
        statusType={qualifiers.versionsProblem ? "error" : qualifiers.loading ? "loading" : "finished"} loadingText="Loading versions"
        errorText={qualifiers.versionsProblem?.message}
        onChange={({ detail }) => navigate(at(go(detail.selectedOption.value!)))}
      />
    </FormField>
  );
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header variant="h2" actions={<Button href={at()} onFollow={follow}>All versions</Button>}>Compare versions</Header>
        }
      >
        <div className="pair">
          {chooser("Version", before, (version) => `${version}...${after}`)}
          {chooser("Compared with", after, (version) => `${before}...${version}`)}
        </div>
      </Container>
      <Shown loaded={loaded} reload={reload} what="the versions">
        {({ one, other }) => (
          <SpaceBetween size="l">
            <SettingsComparison before={one} after={other} />
            {one.CodeSha256 === other.CodeSha256
              ? <Container header={<Header variant="h2">Code</Header>}><Box>The code is the same.</Box></Container>
              : <CodeComparison key={`${one.CodeSha256} ${other.CodeSha256}`} name={name} before={one} after={other} />}
          </SpaceBetween>
        )}
      </Shown>
    </SpaceBetween>
  );
}
