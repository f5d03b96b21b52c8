/** The groups that a user is in. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { groupNamesOf, join, leave, listGroups } from "../../../api/iam/groups";
import { useConsole } from "../../../app/context";
import { ActionDialog } from "../../../components/ActionDialog";
import { type Column, ListTable } from "../../../components/ListTable";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Shown } from "../../../components/Shown";
import { useAction } from "../../../components/useAction";
import { useLoad } from "../../../components/useLoad";
import { ItemLink } from "../ItemLink";

export function Memberships({ user }: { user: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => groupNamesOf(place, user), [place, user]));
  const { problem, run } = useAction();
  const [adding, setAdding] = useState(false);
  const remove = async (group: string) => {
    if (await run(() => leave(place, group, user))) reload();
  };
  const columns: readonly Column<string>[] = [
    { id: "name", header: "Group name", cell: (name) => <ItemLink section="groups" item={name} />, value: (name) => name },
    { id: "actions", header: "Actions", cell: (name) => (
      <Button variant="inline-link" ariaLabel={`Remove from ${name}`} onClick={() => void remove(name)}>Remove</Button>
    ) },
  ];
  return (
    <SpaceBetween size="m">
      {problem && <ProblemAlert problem={problem} />}
      <ListTable<string>
        title="Groups" variant="h2" loaded={loaded} reload={reload} columns={columns} trackBy={(name) => name} searchable={false}
        empty="This user is in no group." actions={<Button onClick={() => setAdding(true)}>Add to group</Button>}
      />
      {adding && <AddToGroup user={user} onDone={() => { setAdding(false); reload(); }} onClose={() => setAdding(false)} />}
    </SpaceBetween>
  );
}

function AddToGroup({ user, onDone, onClose }: { user: string; onDone: () => void; onClose: () => void }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listGroups(place), [place]));
  const [chosen, setChosen] = useState<string>();
  return (
    <ActionDialog
      header="Add to group" action="Add" disabled={chosen === undefined} run={() => join(place, chosen!, user)} onDone={onDone} onClose={onClose}
    >
      <Shown loaded={loaded} reload={reload} what="the groups">
        {(groups) => (
          <FormField label="Group">
            <Select
              placeholder="Choose a group" empty="There is no group in this account." options={groups.map(({ GroupName }) => ({ value: GroupName }))}
              selectedOption={chosen === undefined ? null : { value: chosen }} onChange={({ detail }) => setChosen(detail.selectedOption.value)}
            />
          </FormField>
        )}
      </Shown>
    </ActionDialog>
  );
}
