/** Has a key deleted after a number of days. */

import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";
import { scheduleDeletion } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { ActionDialog } from "../../../components/ActionDialog";
import { wholeNumbers } from "../../../components/numbers";

export function ScheduleDeletion({ id, onDone, onClose }: { id: string; onDone: () => void; onClose: () => void }) {
  const place = useConsole();
  const [days, setDays] = useState("30");
  const { days: problem } = wholeNumbers({ days: [days, 7, 30] });
  return (
    <ActionDialog
      header="Schedule deletion" action="Schedule deletion" disabled={problem !== undefined}
      run={() => scheduleDeletion(place, id, Number(days))} onDone={onDone} onClose={onClose}
    >
      <Alert type="warning">The key cannot be used from now on. Once it is deleted, nobody can decrypt what was encrypted with it.</Alert>
      <FormField label="Days to wait" description="7 to 30. The deletion can be cancelled meanwhile." errorText={problem}>
        <Input value={days} inputMode="numeric" onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </ActionDialog>
  );
}
