/** Keys of KMS, and the page of one. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useCallback, useState } from "react";
import { type Key, createKey, listKeys } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { ActionDialog } from "../../../components/ActionDialog";
import { type Column, ListTable } from "../../../components/ListTable";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { ItemLink } from "../ItemLink";
import { KeyPage } from "./KeyPage";
import { KeyState } from "./KeyState";

const COLUMNS: readonly Column<Key>[] = [
  { id: "id", header: "Key ID", cell: ({ id }) => <ItemLink section="keys" item={id} />, value: ({ id }) => id },
  { id: "aliases", header: "Aliases", cell: ({ aliases }) => aliases.join(", ") || "-", value: ({ aliases }) => aliases.join(", ") },
  { id: "state", header: "State", cell: (key) => <KeyState about={key.about} />, value: ({ about }) => about?.KeyState ?? "" },
  { id: "manager", header: "Managed by", cell: ({ about }) => managerOf(about?.KeyManager), value: ({ about }) => managerOf(about?.KeyManager) },
  { id: "description", header: "Description", cell: ({ about }) => about?.Description || "-", value: ({ about }) => about?.Description ?? "" },
  { id: "created", header: "Created", cell: ({ about }) => (about?.CreationDate ? <Time at={about.CreationDate} /> : "-"), value: ({ about }) => about?.CreationDate?.getTime() ?? 0 },
];

export default function Keys({ item }: { item?: string }) {
  return item === undefined ? <List /> : <KeyPage id={item} />;
}

function List() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listKeys(place), [place]));
  const [creating, setCreating] = useState(false);
  return (
    <>
      <ListTable<Key>
        title="KMS keys" loaded={loaded} reload={reload} columns={COLUMNS} trackBy={({ id }) => id}
        description={`Keys of ${place.region}, for environment variables and packages.`} empty="There is no key in this account and region."
        actions={<Button variant="primary" onClick={() => setCreating(true)}>Create key</Button>}
      />
      {creating && <CreateKey onDone={() => { setCreating(false); reload(); }} onClose={() => setCreating(false)} />}
    </>
  );
}

function CreateKey({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const place = useConsole();
  const [alias, setAlias] = useState(""), [description, setDescription] = useState("");
  return (
    <ActionDialog
      header="Create key" action="Create key" run={() => createKey(place, description.trim(), alias.trim())} onDone={onDone} onClose={onClose}
    >
      <FormField label="Alias - optional" description="A name to call it by.">
        <Input value={alias} autoFocus spellcheck={false} onChange={({ detail }) => setAlias(detail.value)} />
      </FormField>
      <FormField label="Description - optional">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
    </ActionDialog>
  );
}

function managerOf(manager: string | undefined): string {
  return manager === "AWS" ? "AWS" : manager === "CUSTOMER" ? "You" : "-";
}
