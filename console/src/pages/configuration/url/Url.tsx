/** One function URL. */

import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type FunctionUrlConfig, deleteUrl, updateUrl } from "../../../api/urls";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { Settings } from "../../../components/Settings";
import { Time } from "../../../components/Time";
import { moment } from "../../../components/format";
import type { Holder } from "../holders";
import { PublicAccess } from "./PublicAccess";
import { UrlFields } from "./UrlFields";
import { type Draft, check, corsOf, draftOf, settingsOf } from "./settings";
import { useOpening } from "./useOpening";

export function Url({ name, holder, config, changed }: { name: string; holder: Holder; config: FunctionUrlConfig; changed: () => void }) {
  const place = useConsole();
  const opening = useOpening(name);
  const title = titleOf(holder), url = config.FunctionUrl ?? "";
  const save = async (draft: Draft) => {
    await updateUrl(place, name, holder.qualifier, settingsOf(draft));
    if (draft.authType === "NONE" && config.AuthType !== "NONE") await opening(holder.qualifier);
  };
  const cors = corsOf(config);
  return (
    <Settings<Draft>
      title={title} start={() => draftOf(config)} check={check} save={save} saved={changed} form={(editing) => <UrlFields {...editing} />}
      actions={
        <ConfirmButton
          name={`Delete ${title}`} header={`Delete ${title}`} run={() => deleteUrl(place, name, holder.qualifier)} done="The function URL is deleted."
          after={changed}
          question="Nobody can call it any more, and a new one will have another address. Statements in the resource-based policy stay."
        >
          Delete
        </ConfirmButton>
      }
    >
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={2}
          items={[
            { label: "URL", value: (
              <>
                <CopyToClipboard
                  variant="icon" textToCopy={url} copyButtonAriaLabel={`Copy ${title}`} copySuccessText="URL copied"
                  copyErrorText="The URL could not be copied"
                />
                <Link external href={url} externalIconAriaLabel="Opens in a new tab">{url}</Link>
              </>
            ) },
            { label: "Auth type", value: config.AuthType },
            { label: "Invoke mode", value: config.InvokeMode ?? "BUFFERED" },
            { label: "CORS", value: cors.length > 0 ? "Configured" : "Not configured" },
            { label: "Creation time", value: <Time at={moment(config.CreationTime ?? "")} /> },
            { label: "Last modified", value: <Time at={moment(config.LastModifiedTime ?? "")} /> },
          ]}
        />
        {cors.length > 0 && <KeyValuePairs columns={3} items={cors.map(([label, value]) => ({ label, value }))} />}
        {config.AuthType === "NONE" && <PublicAccess name={name} qualifier={holder.qualifier} />}
      </SpaceBetween>
    </Settings>
  );
}

export function titleOf({ qualifier }: Holder): string {
  return qualifier === undefined ? "Function URL" : `Function URL of alias ${qualifier}`;
}
