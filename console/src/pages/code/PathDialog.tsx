/** Asks for the path of a new file, or the new path of one. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

export function PathDialog({ header, action, initial, problemOf, onDone, onClose }: {
  header: string;
  action: string;
  initial: string;
  problemOf: (path: string) => string | undefined;
  onDone: (path: string) => void;
  onClose: () => void;
}) {
  const [path, setPath] = useState(initial);
  const [tried, setTried] = useState(false);
  const problem = problemOf(path);
  const done = () => (problem === undefined ? onDone(path) : setTried(true));
  return (
    <Modal
      visible
      header={header}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>Cancel</Button>
            <Button variant="primary" onClick={done}>{action}</Button>
          </SpaceBetween>
        </Box>
      }
    >
      <FormField label="Path" description="With folders, as in lib/helper.py." errorText={tried ? problem : undefined}>
        <Input
          value={path} autoFocus onChange={({ detail }) => setPath(detail.value)}
          onKeyDown={({ detail }) => detail.key === "Enter" && done()}
        />
      </FormField>
    </Modal>
  );
}
