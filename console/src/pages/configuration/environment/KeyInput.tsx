/** A KMS key: one of the account's, or any by its ARN. */

import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import { useCallback } from "react";
import { type Key, listKeys } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { useWatched } from "../../../components/useWatched";

export function KeyInput({ label, description, value, problem, onChange }: {
  label: string; description: string; value: string; problem?: string; onChange: (arn: string) => void;
}) {
  const place = useConsole();
  const { value: keys, problem: unread, reload } = useWatched(useCallback(() => listKeys(place), [place]));
  return (
    <FormField label={label} description={description} errorText={problem}>
      <Autosuggest
        value={value}
        placeholder="arn:aws:kms:REGION:ACCOUNT:key/ID"
        enteredTextLabel={(text) => `Use ${text}`}
        options={(keys ?? []).filter(isUsable).map(optionOf)}
        statusType={unread ? "error" : keys ? "finished" : "loading"}
        loadingText="Loading the account's keys"
        errorText={unread && `The keys cannot be listed: ${unread.message}`}
        recoveryText="Try again"
        onLoadItems={() => unread && reload()}
        empty="The account has no keys of its own. Give an ARN."
        onChange={({ detail }) => onChange(detail.value.trim())}
      />
    </FormField>
  );
}

/** Keys that AWS keeps for its services are no choice, nor those that do not work now. */
function isUsable({ about }: Key): boolean {
  return about === undefined || (about.KeyManager === "CUSTOMER" && about.KeyState === "Enabled" && about.KeySpec === "SYMMETRIC_DEFAULT");
}

function optionOf({ arn, aliases }: Key) {
  const names = aliases.map((name) => `alias/${name}`);
  return { value: arn, label: names.join(", ") || arn, description: arn, filteringTags: names };
}

/** What is wrong with what was given as a key. The API looks closer. */
export function keyArnProblem(arn: string): string | undefined {
  return /^arn:aws[a-z-]*:kms:[^\s:]+:\d{12}:(key|alias)\/\S+$/.test(arn) ? undefined : "Choose a key, or give an ARN: arn:aws:kms:REGION:ACCOUNT:key/ID.";
}
