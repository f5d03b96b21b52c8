/** One managed policy: its document, and what it is attached to. */

import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { documentProblem } from "../../../api/iam/document";
import { type Holder, type ManagedPolicy, type Policy, changePolicy, deletePolicy, getPolicy, holdersOf } from "../../../api/iam/policies";
import { useConsole } from "../../../app/context";
import type { AccountSection } from "../../../app/places";
import { Copied } from "../../../components/Copied";
import { DocumentText } from "../../../components/DocumentText";
import { type Column, ListTable } from "../../../components/ListTable";
import { Settings } from "../../../components/Settings";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { DeleteItem } from "../DeleteItem";
import { isAbsent } from "../absent";
import { ItemLink } from "../ItemLink";
import { DocumentInput } from "./DocumentInput";
import { isOfAws } from "./origin";

const SECTIONS: Record<Holder["kind"], AccountSection> = { user: "users", group: "groups", role: "roles" };

const HOLDERS: readonly Column<Holder>[] = [
  { id: "name", header: "Name", cell: ({ kind, name }) => <ItemLink section={SECTIONS[kind]} item={name} />, value: ({ name }) => name },
  { id: "kind", header: "Type", cell: ({ kind }) => kind, value: ({ kind }) => kind },
];

export function PolicyPage({ arn }: { arn: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => getPolicy(place, arn), [place, arn]));
  const holders = useLoad(useCallback(() => holdersOf(place, arn), [place, arn]));
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  const remove = !isOfAws(arn) && (
    <DeleteItem section="policies" what="policy" name={name} run={() => deletePolicy(place, arn)}>
      Its versions go with it. It has to be detached everywhere before.
    </DeleteItem>
  );
  if (isAbsent(loaded)) return <Shown loaded={loaded} reload={reload} what="the policy">{() => null}</Shown>;
  return (
    <ContentLayout header={<Header variant="h1" actions={remove}>{name}</Header>}>
      <SpaceBetween size="l">
        <Shown loaded={loaded} reload={reload} what="the policy">
          {(found) => <SpaceBetween size="l"><About policy={found.policy} /><Document found={found} reload={reload} /></SpaceBetween>}
        </Shown>
        <ListTable<Holder>
          title="Attached to" variant="h2" loaded={holders.loaded} reload={holders.reload} columns={HOLDERS} trackBy={({ kind, name }) => `${kind} ${name}`}
          empty="It is attached to nothing."
        />
      </SpaceBetween>
    </ContentLayout>
  );
}

function About({ policy }: { policy: Policy }) {
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "ARN", value: <Copied text={policy.Arn ?? ""} what="the ARN" /> },
          { label: "Description", value: policy.Description || "-" },
          { label: "Version", value: policy.DefaultVersionId },
          { label: "Updated", value: <Time at={policy.UpdateDate!} /> },
        ]}
      />
    </Container>
  );
}

/** AWS's are the same everywhere and stay as they are. */
function Document({ found: { policy, document }, reload }: { found: ManagedPolicy; reload: () => void }) {
  const place = useConsole();
  const { Arn = "" } = policy;
  const shown = <DocumentText label="Policy document" text={document} />;
  if (isOfAws(Arn)) return <Container header={<Header variant="h2">Document</Header>}>{shown}</Container>;
  return (
    <Settings<{ text: string }>
      title="Document" description="A change makes a new version. The last five are kept." start={() => ({ text: document })}
      check={({ text }) => { const problem = documentProblem(text); return problem === undefined ? {} : { text: problem }; }}
      save={({ text }) => changePolicy(place, Arn, text)} saved={reload}
      form={({ draft, change, problems }) => (
        <DocumentInput label="Policy document" text={draft.text} problem={problems.text} onChange={(text) => change({ text })} />
      )}
    >
      {shown}
    </Settings>
  );
}
