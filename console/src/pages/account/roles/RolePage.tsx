/** One role: who may become it, what it may do, which functions run with it. */

import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useMemo } from "react";
import { documentProblem, documentText } from "../../../api/iam/document";
import { type Role, deleteRole, functionsWith, getRole, setTrust } from "../../../api/iam/roles";
import { useConsole } from "../../../app/context";
import { Copied } from "../../../components/Copied";
import { DocumentText } from "../../../components/DocumentText";
import { type Column, ListTable } from "../../../components/ListTable";
import { Settings } from "../../../components/Settings";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { span } from "../../../components/format";
import { useGrowing } from "../../../components/useGrowing";
import { useLoad } from "../../../components/useLoad";
import { isAbsent } from "../absent";
import { DeleteItem } from "../DeleteItem";
import { FunctionLink, ItemLink } from "../ItemLink";
import { DocumentInput } from "../policies/DocumentInput";
import { Held } from "../policies/Held";

const USED_BY: readonly Column<string>[] = [
  { id: "name", header: "Function name", cell: (name) => <FunctionLink name={name} />, value: (name) => name },
];

export function RolePage({ name }: { name: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => getRole(place, name), [place, name]));
  const holder = useMemo(() => ({ kind: "role", name }) as const, [name]);
  const remove = (
    <DeleteItem section="roles" what="role" name={name} run={() => deleteRole(place, name)}>
      Its policies go with it. Functions that run with it lose their rights, and its sessions end.
    </DeleteItem>
  );
  if (isAbsent(loaded)) return <Shown loaded={loaded} reload={reload} what="the role">{() => null}</Shown>;
  return (
    <ContentLayout header={<Header variant="h1" actions={remove}>{name}</Header>}>
      <SpaceBetween size="l">
        <Shown loaded={loaded} reload={reload} what="the role">
          {(role) => <SpaceBetween size="l"><About role={role} /><Trust role={role} reload={reload} /><UsedBy arn={role.Arn ?? ""} /></SpaceBetween>}
        </Shown>
        <Held holder={holder} />
      </SpaceBetween>
    </ContentLayout>
  );
}

function About({ role: { Arn = "", RoleId, CreateDate, Description, MaxSessionDuration = 0, PermissionsBoundary, RoleLastUsed } }: { role: Role }) {
  const boundary = PermissionsBoundary?.PermissionsBoundaryArn;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "ARN", value: <Copied text={Arn} what="the ARN" /> },
          { label: "Role ID", value: RoleId },
          { label: "Description", value: Description || "-" },
          { label: "Created", value: <Time at={CreateDate!} /> },
          { label: "Longest session", value: span(MaxSessionDuration) },
          { label: "Permissions boundary", value: boundary === undefined ? "-" : <ItemLink section="policies" item={boundary} /> },
          ...(RoleLastUsed?.LastUsedDate ? [{ label: "Last used", value: <Time at={RoleLastUsed.LastUsedDate} /> }] : []),
        ]}
      />
    </Container>
  );
}

function Trust({ role, reload }: { role: Role; reload: () => void }) {
  const place = useConsole();
  const text = documentText(role.AssumeRolePolicyDocument);
  return (
    <Settings<{ text: string }>
      title="Trust relationships" description="Who may become this role." start={() => ({ text })}
      check={({ text }) => { const problem = documentProblem(text); return problem === undefined ? {} : { text: problem }; }}
      save={({ text }) => setTrust(place, role.RoleName ?? "", text)} saved={reload}
      form={({ draft, change, problems }) => (
        <DocumentInput label="Trust policy" text={draft.text} problem={problems.text} onChange={(text) => change({ text })} />
      )}
    >
      <DocumentText label="Trust policy" text={text} />
    </Settings>
  );
}

function UsedBy({ arn }: { arn: string }) {
  const place = useConsole();
  const { loaded, looked, reload } = useGrowing(useCallback(() => functionsWith(place, arn), [place, arn]));
  const sofar = looked === undefined ? "" : ` ${looked} are looked at so far.`;
  return (
    <ListTable<string>
      title="Functions" variant="h2" loaded={loaded} reload={reload} columns={USED_BY} trackBy={(name) => name}
      description={`Those of ${place.region} whose latest version runs with this role.${sofar}`} empty={`No function of ${place.region} runs with this role.`}
    />
  );
}
