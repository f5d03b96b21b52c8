/** Where a policy document is written. */

import FormField from "@cloudscape-design/components/form-field";
import { LazyEditor } from "../../../components/LazyEditor";

export function DocumentInput({ label, text, problem, onChange }: { label: string; text: string; problem?: string; onChange: (text: string) => void }) {
  return (
    <FormField label={label} errorText={problem} stretch>
      <LazyEditor id="policy.json" label={label} text={text} onChange={onChange} height="18em" />
    </FormField>
  );
}
