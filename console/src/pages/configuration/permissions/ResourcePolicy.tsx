/** Who may do what with the function, or with one of its versions or aliases: each has a policy of its own. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { listAliases } from "../../../api/aliases";
import { qualifierOf } from "../../../api/functions";
import { deletePolicy, getPolicy } from "../../../api/policies";
import { prettyDocument, statementsOf } from "../../../api/statements";
import { listVersions } from "../../../api/versions";
import { useConsole } from "../../../app/context";
import { addressOf } from "../../../app/places";
import { navigate } from "../../../app/router";
import { ConfirmButton } from "../../../components/ConfirmButton";

import { DocumentText } from "../../../components/DocumentText";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import type { SectionProps } from "../section";
import { AddStatement } from "./AddStatement";
import { PolicyEditor } from "./PolicyEditor";
import { Statements } from "./Statements";
import { type Subject, arnOf, holderOf, holdersOf } from "../holders";

export function ResourcePolicy({ found }: SectionProps) {
  const place = useConsole();
  const name = found.FunctionName ?? "";
  const { region } = place, qualifier = qualifierOf(found), holder = holderOf(qualifier);
  const [editing, setEditing] = useState<"form" | "json">();
  const listHolders = useCallback(async () => {
    const [aliases, versions] = await Promise.all([listAliases(place, name), listVersions(place, name)]);
    return holdersOf(aliases.map(({ Name = "" }) => Name), versions.map(({ Version = "" }) => Version));
  }, [place, name]);
  const { loaded: holders } = useLoad(listHolders);
  const { loaded, reload } = useLoad(useCallback(() => getPolicy(place, name, qualifier), [place, name, qualifier]));
  const policy = loaded.state === "ready" ? loaded.value : undefined;
  const subject: Subject = { ...holder, name, arn: arnOf(found.FunctionArn ?? "", holder) };
  const close = () => setEditing(undefined);
  const options = holders.state === "ready" ? holders.value : [];
  const open = (chosen: string | undefined) =>
    navigate(addressOf(region, { page: "function", name, qualifier: chosen, tab: "configuration", section: "permissions" }));
  if (editing === "form") return <AddStatement subject={subject} onClose={close} saved={reload} />;
  if (editing === "json") return <PolicyEditor subject={subject} policy={policy} onClose={close} saved={reload} />;
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      {policy && (
        <ConfirmButton
          header={`Delete the policy of ${holder.title}`} question="All statements go. This cannot be undone."
          run={() => deletePolicy(place, subject.arn, policy.revision)} done="The policy is deleted." after={reload}
        >
          Delete policy
        </ConfirmButton>
      )}
      <Button disabled={loaded.state !== "ready"} onClick={() => setEditing("json")}>Edit as JSON</Button>
      <Button disabled={loaded.state !== "ready"} onClick={() => setEditing("form")}>Add permissions</Button>
    </SpaceBetween>
  );
  return (
    <Container
      header={
        <Header variant="h2" description="Who may invoke the function, or do something else with it." actions={actions}>
          Resource-based policy statements
        </Header>
      }
    >
      <SpaceBetween size="l">
        <div className="narrow">
          <FormField label="Policy of" description="Versions and aliases have policies of their own.">
            <Select
              selectedOption={{ value: holder.title, label: holder.title }}
              options={options.map(({ title }) => ({ value: title, label: title }))}
              statusType={holders.state === "ready" ? "finished" : holders.state === "failed" ? "error" : "loading"}
              loadingText="Loading versions and aliases"
              errorText={holders.state === "failed" ? holders.problem.message : undefined}
              onChange={({ detail }) => open(options.find(({ title }) => title === detail.selectedOption.value)?.qualifier)}
            />
          </FormField>
        </div>
        <Shown loaded={loaded} what="the policy" reload={reload}>
          {(shown) => shown === undefined
            ? <Box color="text-body-secondary">{holder.title} has no policy: besides the account itself, nobody may use it.</Box>
            : (
              <SpaceBetween size="m">
                <Statements subject={subject} statements={statementsOf(shown.document)} revision={shown.revision} changed={reload} />
                <ExpandableSection variant="footer" headerText="Policy document">
                  <DocumentText label="Policy document" text={prettyDocument(shown.document)} />
                </ExpandableSection>
              </SpaceBetween>
            )}
        </Shown>
      </SpaceBetween>
    </Container>
  );
}
