/** The function's environment variables, and the keys that protect them. What is typed stays in the page's memory. */

import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { updateConfiguration } from "../../../api/configuration";
import { useConsole } from "../../../app/context";
import { type Problems, Settings } from "../../../components/Settings";
import { type SectionProps, closedNow } from "../section";
import { keyArnProblem } from "./KeyInput";
import { VariablesForm } from "./VariablesForm";
import { VariablesTable } from "./VariablesTable";
import { MOST_BYTES, type Variable, asMap, asVariables, bytesOf, keyProblem } from "./variables";

export interface Draft {
  readonly rows: readonly Variable[];
  readonly ownKey: boolean;
  readonly keyArn: string;
}

export default function Environment({ found, reload }: SectionProps) {
  const place = useConsole();
  const variables = asVariables(found.Environment?.Variables), error = found.Environment?.Error;
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const all = variables.length > 0 && variables.every(({ key }) => shown.has(key));
  const save = ({ rows, ownKey, keyArn }: Draft) =>
    updateConfiguration(place, found, { Environment: { Variables: asMap(rows) }, KMSKeyArn: ownKey ? keyArn : "" });
  const unreadable = error && (
    <Alert type="warning" header="The variables cannot be read">{error.ErrorCode}: {error.Message}</Alert>
  );
  return (
    <Settings<Draft>
      title="Environment variables"
      description="Settings for the code, encrypted at rest."
      start={() => ({ rows: variables, ownKey: found.KMSKeyArn !== undefined, keyArn: found.KMSKeyArn ?? "" })}
      check={check}
      save={save}
      saved={reload}
      closed={closedNow(found)}
      actions={variables.length > 0 && (
        <Button onClick={() => setShown(new Set(all ? [] : variables.map(({ key }) => key)))}>
          {all ? "Hide values" : "Show values"}
        </Button>
      )}
      form={(editing) => (
        <>
          {unreadable && <Alert type="warning">The variables cannot be read. What is saved takes the place of all of them.</Alert>}
          <VariablesForm {...editing} functionName={found.FunctionName ?? ""} />
        </>
      )}
    >
      <SpaceBetween size="m">
        {unreadable ?? <VariablesTable variables={variables} shown={shown} onShow={setShown} />}
        <KeyValuePairs
          columns={2}
          items={[
            { label: "Encryption key", value: <span className="long">{found.KMSKeyArn ?? "(default) aws/lambda"}</span> },
            { label: "Size", value: unreadable ? "-" : `${bytesOf(variables)} of ${MOST_BYTES} bytes` },
          ]}
        />
      </SpaceBetween>
    </Settings>
  );
}

function check({ rows, ownKey, keyArn }: Draft): Problems<Draft> {
  const problems: Problems<Draft> = {};
  if (rows.some((_, index) => keyProblem(rows, index) !== undefined)) problems.rows = "Some keys cannot be.";
  const keyTold = ownKey ? keyArnProblem(keyArn) : undefined;
  if (keyTold !== undefined) problems.keyArn = keyTold;
  return problems;
}
