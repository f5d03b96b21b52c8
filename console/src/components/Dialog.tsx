/** The frame of every dialog, and the dialog that asks for a value. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";

/** `cancel` names the button that closes it, beside `action`. While it is `busy` nothing closes it. */
export function Dialog({ header, cancel = "Cancel", busy = false, size, action, onClose, children }: {
  header: string; cancel?: string; busy?: boolean; size?: "large"; action: ReactNode; onClose: () => void; children: ReactNode;
}) {
  return (
    <Modal
      visible
      header={header}
      size={size}
      closeAriaLabel="Close"
      onDismiss={() => busy || onClose()}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" disabled={busy} onClick={onClose}>{cancel}</Button>
            {action}
          </SpaceBetween>
        </Box>
      }
    >
      {children}
    </Modal>
  );
}

/** Asks for one value, and says what is wrong with it once somebody tried to go on. */
export function AskDialog({ header, label, description, action, initial = "", problemOf, input, onDone, onClose }: {
  header: string;
  label: string;
  description: string;
  action: string;
  initial?: string;
  problemOf: (value: string) => string | undefined;
  /** Where the value is typed; `done` goes on as the button does. */
  input: (value: string, change: (value: string) => void, done: () => void) => ReactNode;
  onDone: (value: string) => void;
  onClose: () => void;
}) {
  const [value, setValue] = useState(initial);
  const [tried, setTried] = useState(false);
  const problem = problemOf(value);
  const done = () => (problem === undefined ? onDone(value) : setTried(true));
  return (
    <Dialog header={header} action={<Button variant="primary" onClick={done}>{action}</Button>} onClose={onClose}>
      <FormField label={label} description={description} errorText={tried ? problem : undefined}>
        {input(value, setValue, done)}
      </FormField>
    </Dialog>
  );
}
