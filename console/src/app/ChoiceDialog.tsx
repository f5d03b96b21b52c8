/** Asks for another region or account. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Autosuggest from "@cloudscape-design/components/autosuggest";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

export const REGIONS = [
  "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-north-1", "eu-south-1",
  "eu-west-1", "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
];

export function ChoiceDialog({ header, label, description, initial, options, problem, isGood, onDone, onClose }: {
  header: string; label: string; description: string; initial: string; options: readonly string[]; problem: string;
  isGood: (value: string) => boolean; onDone: (value: string) => void; onClose: () => void;
}) {
  const [value, setValue] = useState(initial);
  const [tried, setTried] = useState(false);
  const done = () => (isGood(value) ? onDone(value) : setTried(true));
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
            <Button variant="primary" onClick={done}>Go there</Button>
          </SpaceBetween>
        </Box>
      }
    >
      <FormField label={label} description={description} errorText={tried && !isGood(value) ? problem : undefined}>
        <Autosuggest
          value={value} options={options.map((each) => ({ value: each }))} enteredTextLabel={(text) => `Use ${text}`}
          onChange={({ detail }) => setValue(detail.value.trim())}
        />
      </FormField>
    </Modal>
  );
}
