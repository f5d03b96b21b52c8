/** The names that a key is called by. */

import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { type Key, addAlias, deleteAlias } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { type Column, ListTable } from "../../../components/ListTable";
import { CreateNamed } from "../CreateNamed";

export function Aliases({ found, reload }: { found: Key; reload: () => void }) {
  const place = useConsole();
  const [creating, setCreating] = useState(false);
  const columns: readonly Column<string>[] = [
    { id: "name", header: "Alias", cell: (name) => `alias/${name}`, value: (name) => name },
    { id: "actions", header: "Actions", cell: (name) => (
      <ConfirmButton
        name={`Delete alias ${name}`} header={`Delete alias ${name}`} run={() => deleteAlias(place, name)}
        question="The key stays. What names it by this alias no longer finds it." done={`The alias ${name} is deleted.`} after={reload}
      >
        Delete
      </ConfirmButton>
    ) },
  ];
  return (
    <>
      <ListTable<string>
        title="Aliases" variant="h2" loaded={{ state: "ready", value: found.aliases }} reload={reload} columns={columns} trackBy={(name) => name}
        empty="This key has no alias." searchable={false} actions={<Button onClick={() => setCreating(true)}>Create alias</Button>}
      />
      {creating && (
        <CreateNamed
          what="alias" label="Alias" description="Without alias/ before it." create={(name) => addAlias(place, found.id, name)}
          onDone={() => { setCreating(false); reload(); }} onClose={() => setCreating(false)}
        />
      )}
    </>
  );
}
