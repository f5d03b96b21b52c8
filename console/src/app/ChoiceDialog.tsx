/** Asks for another region or account. */

import Autosuggest from "@cloudscape-design/components/autosuggest";
import { AskDialog } from "../components/Dialog";

export const REGIONS = [
  "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-north-1", "eu-south-1",
  "eu-west-1", "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
];

/** `label` names what is chosen, and the dialog. */
export function ChoiceDialog({ label, options, ...props }: {
  label: string; description: string; options: readonly string[]; problemOf: (value: string) => string | undefined;
  onDone: (value: string) => void; onClose: () => void;
}) {
  return (
    <AskDialog
      {...props}
      header={label}
      label={label}
      action="Go there"
      input={(value, change) => (
        <Autosuggest
          value={value} options={options.map((each) => ({ value: each }))} enteredTextLabel={(text) => `Use ${text}`}
          onChange={({ detail }) => change(detail.value.trim())}
        />
      )}
    />
  );
}
