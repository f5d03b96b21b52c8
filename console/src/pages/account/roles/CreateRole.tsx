/** Makes a role: who is trusted, and which managed policies it begins with. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import { useState } from "react";
import { documentProblem } from "../../../api/iam/document";
import { createRole } from "../../../api/iam/roles";
import { useConsole } from "../../../app/context";
import { ActionDialog } from "../../../components/ActionDialog";
import { DocumentInput } from "../policies/DocumentInput";
import { PolicyPicker } from "../policies/PolicyPicker";
import { type Trusted, trustOf } from "./trust";

export function CreateRole({ onDone, onClose }: { onDone: (name: string) => void; onClose: () => void }) {
  const place = useConsole();
  const account = place.session.account;
  const [name, setName] = useState(""), [description, setDescription] = useState("");
  const [trusted, setTrusted] = useState<Trusted>("lambda");
  const [trust, setTrust] = useState(trustOf("lambda", account));
  const [policies, setPolicies] = useState<readonly string[]>([]);
  const problem = documentProblem(trust);
  return (
    <ActionDialog
      header="Create role" action="Create role" size="large" disabled={name.trim() === "" || problem !== undefined}
      run={() => createRole(place, { name: name.trim(), description: description.trim(), trust, policies })}
      onDone={() => onDone(name.trim())} onClose={onClose}
    >
      <FormField label="Role name">
        <Input value={name} autoFocus spellcheck={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Description - optional">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField label="Trusted entity">
        <RadioGroup
          value={trusted} direction="horizontal"
          onChange={({ detail }) => { setTrusted(detail.value as Trusted); setTrust(trustOf(detail.value as Trusted, account)); }}
          items={[{ value: "lambda", label: "Lambda functions" }, { value: "account", label: "Users of this account" }]}
        />
      </FormField>
      <DocumentInput label="Trust policy" text={trust} problem={problem} onChange={setTrust} />
      <PolicyPicker label="Policies - optional" chosen={policies} onChange={setPolicies} />
    </ActionDialog>
  );
}
