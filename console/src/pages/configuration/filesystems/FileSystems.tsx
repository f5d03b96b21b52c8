/** A directory that all environments of the function share. */

import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import { updateConfiguration } from "../../../api/configuration";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import type { Editing } from "../../../components/EditForm";
import { Settings } from "../../../components/Settings";
import { type SectionProps, closedNow } from "../section";
import { DIRECT_READ, type Draft, check, configOf, draftOf, isS3 } from "./settings";

export default function FileSystems({ found, reload }: SectionProps) {
  const place = useConsole();
  const [config] = found.FileSystemConfigs ?? [];
  const closed = closedNow(found) ?? (found.VpcConfig?.VpcId ? undefined : "A file system needs a VPC: attach the function to one first.");
  const set = (configs: ReturnType<typeof configOf>[]) => updateConfiguration(place, found, { FileSystemConfigs: configs });
  return (
    <Settings<Draft>
      title="File system" description="A directory that all execution environments share, and that stays when they go." closed={closed}
      edit={config ? "Edit" : "Add"} start={() => draftOf(config)} check={check} save={(draft) => set([configOf(draft)])} saved={reload}
      form={(editing) => <Fields {...editing} />}
      actions={config && (
        <ConfirmButton
          header="Remove the file system" question="The function does not see the directory any more. Its files stay." closed={closedNow(found)}
          run={() => set([])} done="The file system is removed." after={reload}
        >
          Remove
        </ConfirmButton>
      )}
    >
      {config
        ? (
          <KeyValuePairs
            columns={2}
            items={[
              { label: "Access point", value: config.Arn },
              { label: "Local mount path", value: config.LocalMountPath },
              ...(config.S3FilesConfig ? [{ label: "Direct reads from S3", value: config.S3FilesConfig.DirectS3Read }] : []),
            ]}
          />
        )
        : <Box color="text-body-secondary">No file system.{closed !== undefined && ` ${closed}`}</Box>}
    </Settings>
  );
}

function Fields({ draft, change, problems }: Editing<Draft>) {
  const options = DIRECT_READ.map((value) => ({ value, label: value }));
  return (
    <>
      <FormField
        label="Access point ARN" errorText={problems.arn}
        description="Of EFS or S3 Files; one that the server's setting file_systems has a directory for."
      >
        <Input
          value={draft.arn} placeholder="arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-…"
          onChange={({ detail }) => change({ arn: detail.value })}
        />
      </FormField>
      <FormField label="Local mount path" description="Where the function finds it." errorText={problems.path}>
        <Input value={draft.path} onChange={({ detail }) => change({ path: detail.value })} />
      </FormField>
      {isS3(draft.arn) && (
        <FormField label="Direct reads from S3">
          <Select
            options={options} selectedOption={options.find(({ value }) => value === draft.directRead) ?? null}
            onChange={({ detail }) => change({ directRead: detail.selectedOption.value! })}
          />
        </FormField>
      )}
    </>
  );
}
