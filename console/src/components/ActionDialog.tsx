/** A dialog that does something: it closes once that worked, and says why it did not. */

import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";
import { Dialog } from "./Dialog";
import { ProblemAlert } from "./ProblemAlert";
import { useAction } from "./useAction";

export function ActionDialog({ header, action, disabled = false, size, run, onDone, onClose, children }: {
  header: string;
  /** What the button is called. */
  action: string;
  disabled?: boolean;
  size?: "large";
  run: () => Promise<unknown>;
  onDone: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const { busy, problem, run: start } = useAction();
  const submit = async () => {
    if (!disabled && (await start(run))) onDone();
  };
  return (
    <Dialog
      header={header} busy={busy} size={size} onClose={onClose}
      action={<Button variant="primary" disabled={disabled} loading={busy} onClick={submit}>{action}</Button>}
    >
      <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <SpaceBetween size="m">
          {problem && <ProblemAlert problem={problem} />}
          {children}
        </SpaceBetween>
      </form>
    </Dialog>
  );
}
