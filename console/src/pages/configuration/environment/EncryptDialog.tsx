/** Encrypts the value of one variable before it is sent, and shows how the function decrypts it. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useState } from "react";
import { encryptFor } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { Dialog } from "../../../components/Dialog";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Text } from "../../../components/Text";
import { useAction } from "../../../components/useAction";
import { KeyInput, keyArnProblem } from "./KeyInput";
import { nodeSnippet, pythonSnippet } from "./snippets";
import type { Variable } from "./variables";

/** `keyArn` is offered first, and the one that was chosen is told with what was encrypted. */
export function EncryptDialog({ functionName, variable: { key, value }, keyArn, onDone, onClose }: {
  functionName: string; variable: Variable; keyArn: string; onDone: (encrypted: string, keyArn: string) => void; onClose: () => void;
}) {
  const place = useConsole();
  const [arn, setArn] = useState(keyArn);
  const [tried, setTried] = useState(false);
  const { busy, problem, run } = useAction();
  const told = keyArnProblem(arn);
  const encrypt = async () => {
    setTried(true);
    if (told !== undefined) return;
    await run(async () => onDone(await encryptFor(place, functionName, arn, value), arn));
  };
  return (
    <Dialog
      header={`Encrypt ${key} in transit`} busy={busy} onClose={onClose}
      action={<Button variant="primary" loading={busy} onClick={encrypt}>Encrypt</Button>}
    >
      <SpaceBetween size="m">
        {problem && <ProblemAlert problem={problem} />}
        <KeyInput
          label="AWS KMS key to encrypt in transit" description="The execution role needs kms:Decrypt with it." value={arn}
          problem={tried ? told : undefined} onChange={setArn}
        />
        <Box variant="h3">Decrypt secrets snippet</Box>
        <Tabs
          ariaLabel="Decrypt secrets snippet"
          tabs={[
            { id: "python", label: "Python", content: <Snippet language="Python" text={pythonSnippet(key)} /> },
            { id: "node", label: "Node.js", content: <Snippet language="Node.js" text={nodeSnippet(key)} /> },
          ]}
        />
      </SpaceBetween>
    </Dialog>
  );
}

function Snippet({ language, text }: { language: string; text: string }) {
  return (
    <SpaceBetween size="xs">
      <Text label={`Decrypts in ${language}`} text={text} />
      <CopyToClipboard
        copyButtonText="Copy" copyButtonAriaLabel={`Copy the snippet in ${language}`} textToCopy={text} copySuccessText="Copied"
        copyErrorText="It could not be copied"
      />
    </SpaceBetween>
  );
}
