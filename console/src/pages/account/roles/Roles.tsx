/** Roles of the account, and the page of one. */

import Button from "@cloudscape-design/components/button";
import { useCallback, useState } from "react";
import { documentText, trustedBy } from "../../../api/iam/document";
import { type Role, listRoles } from "../../../api/iam/roles";
import { useConsole } from "../../../app/context";
import { addressOf } from "../../../app/places";
import { navigate } from "../../../app/router";
import { type Column, ListTable } from "../../../components/ListTable";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { ItemLink } from "../ItemLink";
import { CreateRole } from "./CreateRole";
import { RolePage } from "./RolePage";

const COLUMNS: readonly Column<Role>[] = [
  { id: "name", header: "Role name", cell: ({ RoleName = "" }) => <ItemLink section="roles" item={RoleName} />, value: ({ RoleName = "" }) => RoleName },
  { id: "trusted", header: "Trusted entities", cell: trusted, value: trusted },
  { id: "description", header: "Description", cell: ({ Description }) => Description ?? "-", value: ({ Description = "" }) => Description },
  { id: "created", header: "Created", cell: ({ CreateDate }) => <Time at={CreateDate!} />, value: ({ CreateDate }) => CreateDate!.getTime() },
];

export default function Roles({ item }: { item?: string }) {
  return item === undefined ? <List /> : <RolePage name={item} />;
}

function List() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listRoles(place), [place]));
  const [creating, setCreating] = useState(false);
  return (
    <>
      <ListTable<Role>
        title="Roles" loaded={loaded} reload={reload} columns={COLUMNS} trackBy={({ RoleName = "" }) => RoleName}
        description="What functions run as, and what users may become for a while." empty="There is no role in this account."
        actions={<Button variant="primary" onClick={() => setCreating(true)}>Create role</Button>}
      />
      {creating && (
        <CreateRole
          onClose={() => setCreating(false)}
          onDone={(name) => navigate(addressOf(place.region, { page: "account", section: "roles", item: name }))}
        />
      )}
    </>
  );
}

function trusted({ AssumeRolePolicyDocument }: Role): string {
  return trustedBy(documentText(AssumeRolePolicyDocument)).join(", ") || "-";
}
