/** Shows a new key with its secret, once. */

import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import type { NewKey } from "../../../api/iam/users";
import { Copied } from "../../../components/Copied";
import { Dialog } from "../../../components/Dialog";
import { saveAs } from "../../../components/save";
import { keyFile } from "./keyFile";

export function NewKeyDialog({ made, user, onClose }: { made: NewKey; user: string; onClose: () => void }) {
  const [shown, setShown] = useState(false);
  const download = () => saveAs(`${user}_accessKeys.csv`, new TextEncoder().encode(keyFile(made)), "text/csv");
  return (
    <Dialog header="Access key created" cancel="Done" onClose={onClose} action={<Button onClick={download}>Download .csv</Button>}>
      <SpaceBetween size="m">
        <Alert type="warning">The secret is shown now and never again. Copy or download it before you close this.</Alert>
        <KeyValuePairs
          items={[
            { label: "Access key ID", value: <Copied text={made.id} what="the access key ID" /> },
            { label: "Secret access key", value: (
              <SpaceBetween direction="horizontal" size="s">
                <Copied text={made.secret} what="the secret" shown={shown ? made.secret : "*".repeat(12)} />
                <Button variant="inline-link" onClick={() => setShown(!shown)}>{shown ? "Hide" : "Show"}</Button>
              </SpaceBetween>
            ) },
          ]}
        />
      </SpaceBetween>
    </Dialog>
  );
}
