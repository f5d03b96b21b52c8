/** Edits variables as rows, and how they are encrypted. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { PairsEditor } from "../../../components/PairsEditor";
import type { Editing } from "../../../components/Settings";
import { EncryptDialog } from "./EncryptDialog";
import type { Draft } from "./Environment";
import { ImportDialog } from "./ImportDialog";
import { KeyInput } from "./KeyInput";
import { MOST_BYTES, bytesOf, keyProblem, merged } from "./variables";

export function VariablesForm({ draft: { rows, ownKey, keyArn }, change, problems, functionName }: Editing<Draft> & { functionName: string }) {
  const [transit, setTransit] = useState(false);
  const [importing, setImporting] = useState(false);
  /** Values as they came out of encryption here. */
  const [encrypted, setEncrypted] = useState<ReadonlySet<string>>(new Set());
  const [transitKey, setTransitKey] = useState("");
  const [encrypting, setEncrypting] = useState<number>();
  const bytes = bytesOf(rows);
  return (
    <>
      <PairsEditor
        rows={rows} one="environment variable"
        problemOf={(index) => (problems.rows === undefined ? undefined : keyProblem(rows, index))}
        rowAction={transit ? ({ key, value }, index) => (
          <Button
            formAction="none" disabled={key === "" || value === "" || encrypted.has(value)} onClick={() => setEncrypting(index)}
            ariaLabel={encrypted.has(value) ? `${key} is encrypted` : `Encrypt ${key || index + 1}`}
          >
            {encrypted.has(value) ? "Encrypted" : "Encrypt"}
          </Button>
        ) : undefined}
        additionalActions={<Button formAction="none" onClick={() => setImporting(true)}>Import .env lines</Button>}
        additionalInfo={
          <Box variant="span" color={bytes > MOST_BYTES ? "text-status-error" : "inherit"}>{bytes} of {MOST_BYTES} bytes, as JSON</Box>
        }
        onChange={(changed) => change({ rows: changed })}
      />
      <ExpandableSection headerText="Encryption configuration" defaultExpanded={ownKey}>
        <SpaceBetween size="l">
          <FormField label="Encryption in transit" description="Values are encrypted here, and the function decrypts them itself.">
            <Checkbox checked={transit} onChange={({ detail }) => setTransit(detail.checked)}>Enable helpers for encryption in transit</Checkbox>
          </FormField>
          <FormField label="AWS KMS key to encrypt at rest">
            <RadioGroup
              value={ownKey ? "own" : "default"}
              onChange={({ detail }) => change({ ownKey: detail.value === "own" })}
              items={[
                { value: "default", label: "(default) aws/lambda" },
                { value: "own", label: "Use a customer master key", description: "Who may not decrypt with it does not see the variables." },
              ]}
            />
          </FormField>
          {ownKey && (
            <KeyInput
              label="Customer master key" description="One of the account's keys, or the ARN of any." value={keyArn} problem={problems.keyArn}
              onChange={(arn) => change({ keyArn: arn })}
            />
          )}
        </SpaceBetween>
      </ExpandableSection>
      {importing && (
        <ImportDialog
          onClose={() => setImporting(false)}
          onDone={(variables) => { setImporting(false); change({ rows: merged(rows, variables) }); }}
        />
      )}
      {encrypting !== undefined && (
        <EncryptDialog
          functionName={functionName} variable={rows[encrypting]!} keyArn={transitKey}
          onClose={() => setEncrypting(undefined)}
          onDone={(value, used) => {
            setEncrypting(undefined);
            setTransitKey(used);
            setEncrypted((before) => new Set([...before, value]));
            change({ rows: rows.map((row, index) => (index === encrypting ? { ...row, value } : row)) });
          }}
        />
      )}
    </>
  );
}
