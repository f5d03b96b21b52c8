/** What the function writes into which log, and whether its invocations are traced. */

import type { ApplicationLogLevel, LogFormat, SystemLogLevel } from "@aws-sdk/client-lambda";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { updateConfiguration } from "../../api/configuration";
import { useConsole } from "../../app/context";
import { Settings } from "../../components/Settings";
import { type SectionProps, closedNow } from "./section";

const APPLICATION: readonly ApplicationLogLevel[] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const SYSTEM: readonly SystemLogLevel[] = ["DEBUG", "INFO", "WARN"];

export default function Monitoring(props: SectionProps) {
  return (
    <SpaceBetween size="l">
      <Logging {...props} />
      <Tracing {...props} />
    </SpaceBetween>
  );
}

interface LoggingDraft {
  readonly format: LogFormat;
  readonly application: ApplicationLogLevel;
  readonly system: SystemLogLevel;
  readonly group: string;
}

function Logging({ found, reload }: SectionProps) {
  const place = useConsole();
  const now = found.LoggingConfig ?? {};
  const save = ({ format, application, system, group }: LoggingDraft) => updateConfiguration(place, found, {
    LoggingConfig: {
      LogFormat: format, LogGroup: group || defaultGroup(found),
      ...(format === "JSON" ? { ApplicationLogLevel: application, SystemLogLevel: system } : {}),
    },
  });
  return (
    <Settings<LoggingDraft>
      title="Logging configuration"
      start={() => ({
        format: now.LogFormat ?? "Text", application: now.ApplicationLogLevel ?? "INFO", system: now.SystemLogLevel ?? "INFO",
        group: now.LogGroup ?? defaultGroup(found),
      })}
      save={save} saved={reload} closed={closedNow(found)}
      form={({ draft, change }) => (
        <>
          <FormField label="Log format">
            <RadioGroup
              value={draft.format} onChange={({ detail }) => change({ format: detail.value as LogFormat })}
              items={[
                { value: "Text", label: "Text", description: "Lines as the function writes them." },
                { value: "JSON", label: "JSON", description: "An object for each line, with its level, by which lines are kept or left out." },
              ]}
            />
          </FormField>
          {draft.format === "JSON" && (
            <>
              <Level label="Application log level" description="Of what the code writes." levels={APPLICATION} value={draft.application} onChange={(application) => change({ application })} />
              <Level label="System log level" description="Of what Lambda writes." levels={SYSTEM} value={draft.system} onChange={(system) => change({ system })} />
            </>
          )}
          <FormField label="CloudWatch log group" description={`Empty: ${defaultGroup(found)}.`}>
            <Input value={draft.group} spellcheck={false} onChange={({ detail }) => change({ group: detail.value.trim() })} />
          </FormField>
        </>
      )}
    >
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Log format", value: now.LogFormat ?? "-" },
          { label: "Application log level", value: now.ApplicationLogLevel ?? "-" },
          { label: "System log level", value: now.SystemLogLevel ?? "-" },
          { label: "CloudWatch log group", value: <span className="long">{now.LogGroup ?? "-"}</span> },
        ]}
      />
    </Settings>
  );
}

function defaultGroup({ FunctionName }: SectionProps["found"]): string {
  return `/aws/lambda/${FunctionName}`;
}

function Level<Value extends string>({ label, description, levels, value, onChange }: {
  label: string; description: string; levels: readonly Value[]; value: Value; onChange: (value: Value) => void;
}) {
  return (
    <FormField label={label} description={`${description} Less important lines are left out.`}>
      <Select
        options={levels.map((each) => ({ value: each }))} selectedOption={{ value }}
        onChange={({ detail }) => onChange(detail.selectedOption.value as Value)}
      />
    </FormField>
  );
}

function Tracing({ found, reload }: SectionProps) {
  const place = useConsole();
  const active = found.TracingConfig?.Mode === "Active";
  return (
    <Settings<{ readonly active: boolean }>
      title="AWS X-Ray"
      start={() => ({ active })}
      save={(draft) => updateConfiguration(place, found, { TracingConfig: { Mode: draft.active ? "Active" : "PassThrough" } })}
      saved={reload} closed={closedNow(found)}
      form={({ draft, change }) => (
        <FormField label="Tracing" description="Without it, invocations are traced whose callers say so.">
          <Checkbox checked={draft.active} onChange={({ detail }) => change({ active: detail.checked })}>Active tracing</Checkbox>
        </FormField>
      )}
    >
      <KeyValuePairs
        items={[{ label: "Active tracing", value: (
          <StatusIndicator type={active ? "success" : "stopped"}>{active ? "Enabled" : "Not enabled (PassThrough)"}</StatusIndicator>
        ) }]}
      />
    </Settings>
  );
}
