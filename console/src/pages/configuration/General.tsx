/** Description, memory, storage, time, and SnapStart. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import { updateConfiguration } from "../../api/configuration";
import { qualifierOf } from "../../api/functions";
import { useConsole } from "../../app/context";
import { type Problems, Settings } from "../../components/Settings";
import { wholeNumbers } from "../../components/numbers";
import { type SectionProps, closedNow } from "./section";

const SNAP_START = [
  { value: "None", label: "None" },
  { value: "PublishedVersions", label: "PublishedVersions", description: "Versions that are published from now on start from a snapshot." },
] as const;
type ApplyOn = (typeof SNAP_START)[number]["value"];

interface Draft {
  readonly description: string;
  readonly memory: string;
  readonly storage: string;
  readonly timeout: string;
  readonly snapStart: ApplyOn;
}

export function General({ found, reload }: SectionProps) {
  const place = useConsole();
  const start = (): Draft => ({
    description: found.Description ?? "", memory: `${found.MemorySize}`, storage: `${found.EphemeralStorage?.Size}`,
    timeout: `${found.Timeout}`, snapStart: found.SnapStart?.ApplyOn === "PublishedVersions" ? "PublishedVersions" : "None",
  });
  const save = (draft: Draft) => updateConfiguration(place, found, {
    Description: draft.description, MemorySize: Number(draft.memory), EphemeralStorage: { Size: Number(draft.storage) },
    Timeout: Number(draft.timeout), SnapStart: { ApplyOn: draft.snapStart },
  });
  return (
    <Settings<Draft>
      title="General configuration" start={start} check={check} save={save} saved={reload} closed={closedNow(found)}
      form={({ draft, change, problems }) => (
        <>
          <FormField label="Description - optional">
            <Input value={draft.description} onChange={({ detail }) => change({ description: detail.value })} />
          </FormField>
          <FormField label="Memory (MB)" description="128 to 10240. The share of the processors grows with it." errorText={problems.memory}>
            <Input value={draft.memory} inputMode="numeric" onChange={({ detail }) => change({ memory: detail.value })} />
          </FormField>
          <FormField label="Ephemeral storage (MB)" description="512 to 10240, in /tmp." errorText={problems.storage}>
            <Input value={draft.storage} inputMode="numeric" onChange={({ detail }) => change({ storage: detail.value })} />
          </FormField>
          <FormField label="Timeout (seconds)" description="1 to 900." errorText={problems.timeout}>
            <Input value={draft.timeout} inputMode="numeric" onChange={({ detail }) => change({ timeout: detail.value })} />
          </FormField>
          <FormField
            label="SnapStart"
            description="For Java 11, Python 3.12, .NET 8 and later. Not with ephemeral storage above 512 MB, file systems, provisioned concurrency or tenant isolation."
          >
            <Select
              options={SNAP_START} selectedOption={SNAP_START.find(({ value }) => value === draft.snapStart)!}
              onChange={({ detail }) => change({ snapStart: detail.selectedOption.value as ApplyOn })}
            />
          </FormField>
        </>
      )}
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: "Description", value: found.Description || "-" },
          { label: "Memory", value: `${found.MemorySize} MB` },
          { label: "Ephemeral storage", value: `${found.EphemeralStorage?.Size} MB` },
          { label: "Timeout", value: `${found.Timeout} s` },
          { label: "SnapStart", value: snapStart(found) },
        ]}
      />
    </Settings>
  );
}

/** Whether a version has a snapshot is said of versions only. */
function snapStart(found: SectionProps["found"]): string {
  const { ApplyOn = "None", OptimizationStatus } = found.SnapStart ?? {};
  return qualifierOf(found) === undefined || ApplyOn === "None" ? ApplyOn : `${ApplyOn}, optimization ${OptimizationStatus}`;
}

function check({ memory, storage, timeout }: Draft): Problems<Draft> {
  return wholeNumbers({ memory: [memory, 128, 10240], storage: [storage, 512, 10240], timeout: [timeout, 1, 900] });
}
