/** Writes a policy that one user, group or role has for itself; or a managed one, where there is no holder. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";
import { documentProblem } from "../../../api/iam/document";
import { type Holder, createPolicy, putOwn } from "../../../api/iam/policies";
import { useConsole } from "../../../app/context";
import { ActionDialog } from "../../../components/ActionDialog";
import { DocumentInput } from "./DocumentInput";

const START = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "lambda:InvokeFunction",
      "Resource": "*"
    }
  ]
}
`;

export function OwnPolicyDialog({ holder, name: edited, text = START, onDone, onClose }: {
  holder?: Holder; name?: string; text?: string; onDone: () => void; onClose: () => void;
}) {
  const place = useConsole();
  const [name, setName] = useState(edited ?? "");
  const [document, setDocument] = useState(text);
  const problem = documentProblem(document);
  const what = holder ? "inline policy" : "policy";
  return (
    <ActionDialog
      header={edited === undefined ? `Create ${what}` : `Edit ${what} ${edited}`} action={edited === undefined ? "Create policy" : "Save"}
      disabled={name.trim() === "" || problem !== undefined} onDone={onDone} onClose={onClose} size="large"
      run={() => (holder ? putOwn(place, holder, name.trim(), document) : createPolicy(place, name.trim(), document))}
    >
      {edited === undefined && (
        <FormField label="Policy name">
          <Input value={name} autoFocus spellcheck={false} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
      )}
      <DocumentInput label="Policy document" text={document} problem={problem} onChange={setDocument} />
    </ActionDialog>
  );
}
