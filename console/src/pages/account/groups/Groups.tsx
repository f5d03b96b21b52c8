/** User groups of the account, and the page of one. */

import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useMemo, useState } from "react";
import { type Group, createGroup, deleteGroup, listGroups, membersOf } from "../../../api/iam/groups";
import type { User } from "../../../api/iam/users";
import { useConsole } from "../../../app/context";
import { addressOf } from "../../../app/places";
import { navigate } from "../../../app/router";
import { type Column, ListTable } from "../../../components/ListTable";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { CreateNamed } from "../CreateNamed";
import { DeleteItem } from "../DeleteItem";
import { ItemLink } from "../ItemLink";
import { isAbsent } from "../absent";
import { Held } from "../policies/Held";

const COLUMNS: readonly Column<Group>[] = [
  { id: "name", header: "Group name", cell: ({ GroupName = "" }) => <ItemLink section="groups" item={GroupName} />, value: ({ GroupName = "" }) => GroupName },
  { id: "arn", header: "ARN", cell: ({ Arn }) => Arn, value: ({ Arn = "" }) => Arn },
  { id: "created", header: "Created", cell: ({ CreateDate }) => <Time at={CreateDate!} />, value: ({ CreateDate }) => CreateDate!.getTime() },
];

const MEMBERS: readonly Column<User>[] = [
  { id: "name", header: "User name", cell: ({ UserName = "" }) => <ItemLink section="users" item={UserName} />, value: ({ UserName = "" }) => UserName },
  { id: "arn", header: "ARN", cell: ({ Arn }) => Arn, value: ({ Arn = "" }) => Arn },
];

export default function Groups({ item }: { item?: string }) {
  return item === undefined ? <List /> : <GroupPage name={item} />;
}

function List() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listGroups(place), [place]));
  const [creating, setCreating] = useState(false);
  return (
    <>
      <ListTable<Group>
        title="User groups" loaded={loaded} reload={reload} columns={COLUMNS} trackBy={({ GroupName = "" }) => GroupName}
        description="Users have the policies of the groups that they are in." empty="There is no group in this account."
        actions={<Button variant="primary" onClick={() => setCreating(true)}>Create group</Button>}
      />
      {creating && (
        <CreateNamed
          what="group" label="Group name" create={(name) => createGroup(place, name)} onClose={() => setCreating(false)}
          onDone={(name) => navigate(addressOf(place.region, { page: "account", section: "groups", item: name }))}
        />
      )}
    </>
  );
}

function GroupPage({ name }: { name: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => membersOf(place, name), [place, name]));
  const holder = useMemo(() => ({ kind: "group", name }) as const, [name]);
  const remove = (
    <DeleteItem section="groups" what="group" name={name} run={() => deleteGroup(place, name)}>
      Its members stay, and lose what its policies allow.
    </DeleteItem>
  );
  if (isAbsent(loaded)) return <Shown loaded={loaded} reload={reload} what="the group">{() => null}</Shown>;
  return (
    <ContentLayout header={<Header variant="h1" actions={remove}>{name}</Header>}>
      <SpaceBetween size="l">
        <ListTable<User>
          title="Members" variant="h2" loaded={loaded} reload={reload} columns={MEMBERS} trackBy={({ UserName = "" }) => UserName}
          description="Users are added on their own pages." empty="Nobody is in this group."
        />
        <Held holder={holder} />
      </SpaceBetween>
    </ContentLayout>
  );
}
