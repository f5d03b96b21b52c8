/** Attaches managed policies. */

import { useState } from "react";
import { type Holder, attach } from "../../../api/iam/policies";
import { useConsole } from "../../../app/context";
import { ActionDialog } from "../../../components/ActionDialog";
import { PolicyPicker } from "./PolicyPicker";

export function AttachDialog({ holder, onDone, onClose }: { holder: Holder; onDone: () => void; onClose: () => void }) {
  const place = useConsole();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const run = async () => {
    for (const arn of chosen) await attach(place, holder, arn);
  };
  return (
    <ActionDialog header="Attach policies" action="Attach" disabled={chosen.length === 0} run={run} onDone={onDone} onClose={onClose}>
      <PolicyPicker label="Policies" chosen={chosen} onChange={setChosen} />
    </ActionDialog>
  );
}
