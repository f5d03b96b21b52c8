/** Publishes `$LATEST` as a version. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useRef } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import { publishVersion } from "../../api/versions";
import { useConsole } from "../../app/context";
import { EditForm } from "../../components/EditForm";

export function PublishForm({ name, versions, latest, onClose, onDone }: {
  name: string; versions: readonly FunctionConfiguration[]; latest?: FunctionConfiguration; onClose: () => void; onDone: () => void;
}) {
  const place = useConsole();
  const published = useRef("");
  return (
    <EditForm
      title="Publish new version" action="Publish"
      description="Code and configuration of $LATEST as they are now. If nothing changed since the last version, that one stays the last."
      done={() => (
        versions.some(({ Version }) => Version === published.current)
          ? `Nothing changed since version ${published.current}, which stays the last one.`
          : `Version ${published.current} is published.`
      )}
      start={{ description: "", codeSha256: latest?.CodeSha256 ?? "" }}
      save={async (draft) => { published.current = (await publishVersion(place, name, draft)).Version ?? ""; }}
      saved={onDone} onClose={onClose}
      form={({ draft, change }) => (
        <>
          <FormField label="Version description - optional">
            <Input value={draft.description} autoFocus onChange={({ detail }) => change({ description: detail.value })} />
          </FormField>
          <FormField label="Code SHA-256 - optional" description="Refused, if the code is another by then. Empty: whatever the code is.">
            <Input value={draft.codeSha256} spellcheck={false} onChange={({ detail }) => change({ codeSha256: detail.value.trim() })} />
          </FormField>
        </>
      )}
    />
  );
}
