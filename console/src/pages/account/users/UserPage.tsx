/** One user: keys, policies, groups. */

import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useMemo } from "react";
import { deleteUser, getUser } from "../../../api/iam/users";
import { useConsole } from "../../../app/context";
import { Copied } from "../../../components/Copied";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { isAbsent } from "../absent";
import { DeleteItem } from "../DeleteItem";
import { ItemLink } from "../ItemLink";
import { Held } from "../policies/Held";
import { Keys } from "./Keys";
import { Memberships } from "./Memberships";

export function UserPage({ name }: { name: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => getUser(place, name), [place, name]));
  const holder = useMemo(() => ({ kind: "user", name }) as const, [name]);
  const remove = (
    <DeleteItem section="users" what="user" name={name} run={() => deleteUser(place, name)}>
      Its access keys, its own policies and its memberships go with it. Programs that use its keys are refused from then on.
    </DeleteItem>
  );
  if (isAbsent(loaded)) return <Shown loaded={loaded} reload={reload} what="the user">{() => null}</Shown>;
  return (
    <ContentLayout header={<Header variant="h1" actions={remove}>{name}</Header>}>
      <SpaceBetween size="l">
        <Shown loaded={loaded} reload={reload} what="the user">
          {({ Arn = "", UserId = "", CreateDate, PermissionsBoundary }) => (
            <Container>
              <KeyValuePairs
                columns={4}
                items={[
                  { label: "ARN", value: <Copied text={Arn} what="the ARN" /> },
                  { label: "User ID", value: UserId },
                  { label: "Created", value: <Time at={CreateDate!} /> },
                  { label: "Permissions boundary", value: PermissionsBoundary?.PermissionsBoundaryArn
                    ? <ItemLink section="policies" item={PermissionsBoundary.PermissionsBoundaryArn} /> : "-" },
                ]}
              />
            </Container>
          )}
        </Shown>
        <Keys user={name} />
        <Held holder={holder} />
        <Memberships user={name} />
      </SpaceBetween>
    </ContentLayout>
  );
}
