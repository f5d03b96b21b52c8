/** The ARN of a destination. Functions are offered; what belongs to other services is known by its ARN. */

import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import { useCallback } from "react";
import type { Place } from "../../../api/clients";
import { listFunctions } from "../../../api/functions";
import { useConsole } from "../../../app/context";
import { useWatched } from "../../../components/useWatched";
import { KINDS, type KindId } from "./destinations";

export function DestinationInput({ kind, value, problem, onChange }: {
  kind: KindId; value: string; problem?: string; onChange: (arn: string) => void;
}) {
  const place = useConsole();
  const load = useCallback(() => (kind === "lambda" ? functionArns(place) : Promise.resolve([])), [place, kind]);
  const { value: arns, problem: unread, reload } = useWatched(load);
  return (
    <FormField label="Destination ARN" errorText={problem}>
      <Autosuggest
        value={value} placeholder={KINDS[kind].example} enteredTextLabel={(text) => `Use ${text}`}
        options={(arns ?? []).map((arn) => ({ value: arn }))}
        statusType={unread ? "error" : arns ? "finished" : "loading"}
        loadingText="Loading functions"
        errorText={unread && `They cannot be listed: ${unread.message}`}
        recoveryText="Try again"
        onLoadItems={() => unread && reload()}
        onChange={({ detail }) => onChange(detail.value.trim())}
      />
    </FormField>
  );
}

async function functionArns(place: Place): Promise<string[]> {
  const arns: string[] = [];
  for await (const page of listFunctions(place, new AbortController().signal)) arns.push(...page.map(({ FunctionArn = "" }) => FunctionArn));
  return arns;
}
