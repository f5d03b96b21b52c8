/** Asks for the path of a new file, or the new path of one. */

import Input from "@cloudscape-design/components/input";
import { AskDialog } from "../../components/Dialog";

export function PathDialog(props: {
  header: string;
  action: string;
  initial: string;
  problemOf: (path: string) => string | undefined;
  onDone: (path: string) => void;
  onClose: () => void;
}) {
  return (
    <AskDialog
      {...props}
      label="Path"
      description="With folders, as in lib/helper.py."
      input={(path, change, done) => (
        <Input
          value={path} autoFocus onChange={({ detail }) => change(detail.value)}
          onKeyDown={({ detail }) => detail.key === "Enter" && done()}
        />
      )}
    />
  );
}
