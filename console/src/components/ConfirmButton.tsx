/** A button for what cannot be taken back: it asks first. */

import Button, { type ButtonProps } from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { useConsole } from "../app/context";
import { Dialog } from "./Dialog";
import { ProblemAlert } from "./ProblemAlert";
import { useAction } from "./useAction";

export function ConfirmButton({ children, name, icon, header, question, run, done, after, closed }: {
  /** What the button says, and the dialog's, too. */
  children: string;
  /** Of the button, where several say the same. */
  name?: string;
  /** In place of what it says. It needs a name then. */
  icon?: ButtonProps["iconName"];
  header: string;
  question: ReactNode;
  run: () => Promise<unknown>;
  /** What is said afterwards. */
  done: string;
  after: () => void;
  /** Why it cannot be done now. */
  closed?: string;
}) {
  const { notify } = useConsole();
  const [asking, setAsking] = useState(false);
  const { busy, problem, run: act, forget } = useAction();
  const close = () => { setAsking(false); forget(); };
  const confirm = async () => {
    if (!(await act(run))) return;
    close();
    notify("success", done);
    after();
  };
  return (
    <>
      <Button
        ariaLabel={name} iconName={icon} variant={icon && "icon"} disabled={closed !== undefined} disabledReason={closed} wrapText={false}
        onClick={() => setAsking(true)}
      >
        {icon ? undefined : children}
      </Button>
      {asking && (
        <Dialog header={header} busy={busy} action={<Button variant="primary" loading={busy} onClick={() => void confirm()}>{children}</Button>} onClose={close}>
          <SpaceBetween size="m">
            {problem && <ProblemAlert problem={problem} />}
            {question}
          </SpaceBetween>
        </Dialog>
      )}
    </>
  );
}
