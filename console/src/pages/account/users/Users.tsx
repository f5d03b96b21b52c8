/** Users of the account, and the page of one. */

import Button from "@cloudscape-design/components/button";
import { useCallback, useState } from "react";
import { type User, createUser, listUsers } from "../../../api/iam/users";
import { useConsole } from "../../../app/context";
import { addressOf } from "../../../app/places";
import { navigate } from "../../../app/router";
import { type Column, ListTable } from "../../../components/ListTable";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { CreateNamed } from "../CreateNamed";
import { ItemLink } from "../ItemLink";
import { UserPage } from "./UserPage";

const COLUMNS: readonly Column<User>[] = [
  { id: "name", header: "User name", cell: ({ UserName = "" }) => <ItemLink section="users" item={UserName} />, value: ({ UserName = "" }) => UserName },
  { id: "arn", header: "ARN", cell: ({ Arn }) => Arn, value: ({ Arn = "" }) => Arn },
  { id: "created", header: "Created", cell: ({ CreateDate }) => <Time at={CreateDate!} />, value: ({ CreateDate }) => CreateDate!.getTime() },
];

export default function Users({ item }: { item?: string }) {
  return item === undefined ? <List /> : <UserPage name={item} />;
}

function List() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listUsers(place), [place]));
  const [creating, setCreating] = useState(false);
  return (
    <>
      <ListTable<User>
        title="Users" loaded={loaded} reload={reload} columns={COLUMNS} trackBy={({ UserName = "" }) => UserName}
        description="People and programs with access keys. The root of the account is none of them."
        empty="There is no user in this account."
        actions={<Button variant="primary" onClick={() => setCreating(true)}>Create user</Button>}
      />
      {creating && (
        <CreateNamed
          what="user" label="User name" description="A new user may do nothing: policies and keys are added on its page."
          create={(name) => createUser(place, name)} onClose={() => setCreating(false)}
          onDone={(name) => navigate(addressOf(place.region, { page: "account", section: "users", item: name }))}
        />
      )}
    </>
  );
}
