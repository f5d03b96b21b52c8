/** Takes variables from lines of a `.env` file. */

import Textarea from "@cloudscape-design/components/textarea";
import { AskDialog } from "../../../components/Dialog";
import { readDotenv } from "./dotenv";
import type { Variable } from "./variables";

export function ImportDialog({ onDone, onClose }: { onDone: (variables: readonly Variable[]) => void; onClose: () => void }) {
  return (
    <AskDialog
      header="Import .env lines"
      label="Lines"
      description="KEY=VALUE each. A key that is there already gets the new value."
      action="Import"
      problemOf={problemOf}
      input={(value, change) => (
        <Textarea value={value} rows={10} spellcheck={false} autoFocus placeholder={"LEVEL=info\nGREETING=\"Hello, you\""} onChange={({ detail }) => change(detail.value)} />
      )}
      onDone={(text) => onDone(readDotenv(text).variables)}
      onClose={onClose}
    />
  );
}

function problemOf(text: string): string | undefined {
  const { variables, unread } = readDotenv(text);
  if (unread.length > 0) return `There is no KEY=VALUE in line ${unread.join(", ")}.`;
  return variables.length === 0 ? "There is nothing to import." : undefined;
}
