/** Asks for a name, and creates what bears it. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";
import { ActionDialog } from "../../components/ActionDialog";

export function CreateNamed({ what, label, description, create, onDone, onClose }: {
  /** Within a sentence: "user". */
  what: string;
  label: string;
  description?: string;
  create: (name: string) => Promise<unknown>;
  onDone: (name: string) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  return (
    <ActionDialog
      header={`Create ${what}`} action={`Create ${what}`} disabled={name.trim() === ""} run={() => create(name.trim())}
      onDone={() => onDone(name.trim())} onClose={onClose}
    >
      <FormField label={label} description={description}>
        <Input value={name} autoFocus spellcheck={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </ActionDialog>
  );
}
