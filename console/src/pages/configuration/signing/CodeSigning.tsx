/** Whose signatures the function's code has to have. */

import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useCallback } from "react";
import { attachSigningConfig, detachSigningConfig, listSigningConfigs, signingConfigOf } from "../../../api/signing";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { type Problems, Settings } from "../../../components/Settings";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import { type SectionProps, closedNow } from "../section";
import { SigningConfig } from "./SigningConfig";

interface Draft {
  readonly arn: string;
}

export default function CodeSigning({ found }: SectionProps) {
  const place = useConsole();
  const name = found.FunctionName ?? "";
  const { loaded, reload } = useLoad(useCallback(() => signingConfigOf(place, name), [place, name]));
  return (
    <Shown loaded={loaded} what="code signing" reload={reload}>
      {(config) => (
        <Settings<Draft>
          title="Code signing configuration" description="What code that is deployed has to be signed with. What is deployed already is not checked again."
          start={() => ({ arn: config?.CodeSigningConfigArn ?? "" })} check={check} saved={reload} closed={closedNow(found)}
          save={({ arn }) => attachSigningConfig(place, name, arn)} form={({ draft, change, problems }) => (
            <ConfigInput arn={draft.arn} problem={problems.arn} onChange={(arn) => change({ arn })} />
          )}
          actions={config && (
            <ConfirmButton
              header="Remove the code signing configuration" question="Code is then deployed without a look at who signed it."
              closed={closedNow(found)} run={() => detachSigningConfig(place, name)} done="The code signing configuration is removed." after={reload}
            >
              Remove
            </ConfirmButton>
          )}
        >
          {config ? <SigningConfig config={config} /> : <Box color="text-body-secondary">No code signing configuration: any code may be deployed.</Box>}
        </Settings>
      )}
    </Shown>
  );
}

function check({ arn }: Draft): Problems<Draft> {
  return arn === "" ? { arn: "Choose a configuration." } : {};
}

/** One of the account's configurations, and what it says. */
function ConfigInput({ arn, problem, onChange }: { arn: string; problem?: string; onChange: (arn: string) => void }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listSigningConfigs(place), [place]));
  const configs = loaded.state === "ready" ? loaded.value : [];
  const chosen = configs.find(({ CodeSigningConfigArn }) => CodeSigningConfigArn === arn);
  return (
    <>
      <FormField label="Configuration" errorText={problem} description="Configurations are made with CreateCodeSigningConfig.">
        <Select
          placeholder="Choose a configuration"
          selectedOption={arn === "" ? null : { value: arn, label: arn }}
          options={configs.map(({ CodeSigningConfigArn = "", Description }) => ({ value: CodeSigningConfigArn, label: CodeSigningConfigArn, description: Description }))}
          statusType={loaded.state === "ready" ? "finished" : loaded.state === "failed" ? "error" : "loading"}
          loadingText="Loading configurations"
          errorText={loaded.state === "failed" ? loaded.problem.message : undefined}
          recoveryText="Try again"
          onLoadItems={({ detail }) => detail.samePage && reload()}
          empty="The account has no code signing configuration."
          onChange={({ detail }) => onChange(detail.selectedOption.value!)}
        />
      </FormField>
      {chosen && <SigningConfig config={chosen} />}
    </>
  );
}
