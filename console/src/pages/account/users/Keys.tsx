/** A user's access keys: created, deactivated, deleted. */

import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useCallback, useState } from "react";
import { type AccessKeyMetadata, type NewKey, createKey, deleteKey, listKeys, setKeyActive } from "../../../api/iam/users";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { type Column, ListTable } from "../../../components/ListTable";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Time } from "../../../components/Time";
import { useAction } from "../../../components/useAction";
import { useLoad } from "../../../components/useLoad";
import { NewKeyDialog } from "./NewKeyDialog";

export function Keys({ user }: { user: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listKeys(place, user), [place, user]));
  const { busy, problem, run } = useAction();
  const [made, setMade] = useState<NewKey>();
  const change = async (work: () => Promise<unknown>) => {
    if (await run(work)) reload();
  };
  const columns: readonly Column<AccessKeyMetadata>[] = [
    ...COLUMNS,
    { id: "actions", header: "Actions", cell: ({ AccessKeyId = "", Status }) => {
      const active = Status === "Active";
      const verb = active ? "Deactivate" : "Activate";
      return (
        <SpaceBetween direction="horizontal" size="xs">
          <Button ariaLabel={`${verb} ${AccessKeyId}`} onClick={() => void change(() => setKeyActive(place, user, AccessKeyId, !active))}>{verb}</Button>
          <ConfirmButton
            name={`Delete ${AccessKeyId}`} header={`Delete access key ${AccessKeyId}`} run={() => deleteKey(place, user, AccessKeyId)}
            question="What signs with it is refused from then on. A key that is only deactivated can be activated again."
            done={`The access key ${AccessKeyId} is deleted.`} after={reload}
          >
            Delete
          </ConfirmButton>
        </SpaceBetween>
      );
    } },
  ];
  return (
    <SpaceBetween size="m">
      {problem && <ProblemAlert problem={problem} />}
      <ListTable<AccessKeyMetadata>
        title="Access keys" variant="h2" loaded={loaded} reload={reload} columns={columns} trackBy={({ AccessKeyId = "" }) => AccessKeyId}
        description="At most two." empty="This user has no access key." searchable={false}
        actions={<Button loading={busy} onClick={() => void change(async () => setMade(await createKey(place, user)))}>Create access key</Button>}
      />
      {made && <NewKeyDialog made={made} user={user} onClose={() => setMade(undefined)} />}
    </SpaceBetween>
  );
}

const COLUMNS: readonly Column<AccessKeyMetadata>[] = [
  { id: "id", header: "Access key ID", cell: ({ AccessKeyId }) => AccessKeyId, value: ({ AccessKeyId = "" }) => AccessKeyId },
  { id: "status", header: "Status", cell: ({ Status }) => (
    <StatusIndicator type={Status === "Active" ? "success" : "stopped"}>{Status}</StatusIndicator>
  ), value: ({ Status = "" }) => Status },
  { id: "created", header: "Created", cell: ({ CreateDate }) => <Time at={CreateDate!} />, value: ({ CreateDate }) => CreateDate!.getTime() },
];
