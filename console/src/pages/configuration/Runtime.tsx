/** Which runtime runs the function and where it enters; and when that runtime is changed for a newer version of it. */

import type { Runtime as RuntimeId, UpdateRuntimeOn } from "@aws-sdk/client-lambda";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { updateConfiguration } from "../../api/configuration";
import { qualifierOf } from "../../api/functions";
import { manageRuntime, runtimeManagement } from "../../api/runtime";
import { useConsole } from "../../app/context";
import { type Problems, Settings } from "../../components/Settings";
import { Watch } from "../../components/Watch";
import { useWatched } from "../../components/useWatched";
import { RUNTIMES } from "../create/blueprints";
import { isSettled } from "../function/useFunction";
import { type SectionProps, closedNow } from "./section";

export default function Runtime(props: SectionProps) {
  return (
    <SpaceBetween size="l">
      <RuntimeSettings {...props} />
      <Management {...props} />
    </SpaceBetween>
  );
}

interface Draft {
  readonly runtime: string;
  readonly handler: string;
}

function RuntimeSettings({ found, reload }: SectionProps) {
  const place = useConsole();
  const runtimes = [...new Set([found.Runtime ?? "", ...RUNTIMES])].map((value) => ({ value }));
  return (
    <Settings<Draft>
      title="Runtime settings"
      start={() => ({ runtime: found.Runtime ?? "", handler: found.Handler ?? "" })}
      check={({ handler }): Problems<Draft> => (/^\S{1,128}$/.test(handler) ? {} : { handler: "Give a handler, without spaces." })}
      save={({ runtime, handler }) => updateConfiguration(place, found, { Runtime: runtime as RuntimeId, Handler: handler })}
      saved={reload}
      closed={closedNow(found)}
      form={({ draft, change, problems }) => (
        <>
          <FormField label="Runtime" description="It has to be on the server's machine.">
            <Select
              options={runtimes} selectedOption={{ value: draft.runtime }} filteringType="auto"
              onChange={({ detail }) => change({ runtime: detail.selectedOption.value ?? "" })}
            />
          </FormField>
          <FormField label="Handler" description="Where the runtime finds the function to call." errorText={problems.handler}>
            <Input value={draft.handler} onChange={({ detail }) => change({ handler: detail.value })} />
          </FormField>
          <FormField label="Architecture" description="It is changed with the code that is built for it.">
            <Input value={architecture(found)} readOnly />
          </FormField>
        </>
      )}
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: "Runtime", value: found.Runtime ?? "-" },
          { label: "Handler", value: found.Handler ?? "-" },
          { label: "Architecture", value: architecture(found) },
        ]}
      />
    </Settings>
  );
}

function architecture({ Architectures }: SectionProps["found"]): string {
  return Architectures?.join(", ") ?? "-";
}

const MODES: Record<UpdateRuntimeOn, { readonly label: string; readonly description: string }> = {
  Auto: { label: "Auto", description: "A newer version of the runtime is taken as soon as there is one." },
  FunctionUpdate: { label: "Function update", description: "A newer version is taken when the function is changed." },
  Manual: { label: "Manual", description: "The version that is named stays until another one is named." },
};

interface ManagementDraft {
  readonly updateOn: UpdateRuntimeOn;
  readonly versionArn: string;
}

function Management({ found }: SectionProps) {
  const place = useConsole();
  const name = found.FunctionName ?? "", current = found.RuntimeVersionConfig?.RuntimeVersionArn ?? "";
  // An alias has none of its own.
  const version = qualifierOf(found) === undefined ? undefined : found.Version;
  const watched = useWatched(useCallback(() => runtimeManagement(place, name, version), [place, name, version]));
  return (
    <Watch title="Runtime management configuration" what="the runtime management" watched={watched}>
      {({ updateOn, versionArn }) => (
        <Settings<ManagementDraft>
          title="Runtime management configuration"
          start={() => ({ updateOn, versionArn: versionArn ?? current })}
          check={(draft): Problems<ManagementDraft> =>
            draft.updateOn === "Manual" && !draft.versionArn ? { versionArn: "Give the ARN of a runtime version." } : {}}
          save={(draft) => manageRuntime(place, name, version, {
            updateOn: draft.updateOn, versionArn: draft.updateOn === "Manual" ? draft.versionArn : undefined,
          })}
          saved={watched.reload}
          closed={isSettled(found) ? undefined : closedNow(found)}
          form={({ draft, change, problems }) => (
            <>
              <FormField label="Update runtime version">
                <RadioGroup
                  value={draft.updateOn} onChange={({ detail }) => change({ updateOn: detail.value as UpdateRuntimeOn })}
                  items={(Object.keys(MODES) as UpdateRuntimeOn[]).map((value) => ({ value, ...MODES[value] }))}
                />
              </FormField>
              {draft.updateOn === "Manual" && (
                <FormField label="Runtime version ARN" description="The server has one version of each runtime: the one that runs now." errorText={problems.versionArn}>
                  <Input value={draft.versionArn} onChange={({ detail }) => change({ versionArn: detail.value.trim() })} />
                </FormField>
              )}
            </>
          )}
        >
          <KeyValuePairs
            columns={2}
            items={[
              { label: "Update runtime version", value: MODES[updateOn].label },
              { label: "Runtime version ARN", value: <span className="long">{versionArn ?? (current || "-")}</span> },
            ]}
          />
        </Settings>
      )}
    </Watch>
  );
}
