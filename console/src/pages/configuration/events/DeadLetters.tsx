/** Where events go, as they came, that could not be handled. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import { updateConfiguration } from "../../../api/configuration";
import { useConsole } from "../../../app/context";
import { type Problems, Settings } from "../../../components/Settings";
import { type SectionProps, closedNow } from "../section";
import { KINDS, arnProblem, kindOf } from "./destinations";

const SERVICES = { none: "None", sns: "Amazon SNS", sqs: "Amazon SQS" };
type Service = keyof typeof SERVICES;
const OPTIONS = (Object.keys(SERVICES) as Service[]).map((value) => ({ value, label: SERVICES[value] }));

interface Draft {
  readonly service: Service;
  readonly arn: string;
}

export function DeadLetters({ found, reload }: SectionProps) {
  const place = useConsole();
  const target = found.DeadLetterConfig?.TargetArn ?? "";
  const kind = kindOf(target);
  const service = kind === "sns" || kind === "sqs" ? kind : "none";
  return (
    <Settings<Draft>
      title="Dead-letter queue" description="Of the function. Versions keep the one that they were published with."
      start={() => ({ service, arn: target })}
      check={check}
      save={(draft) => updateConfiguration(place, found, { DeadLetterConfig: { TargetArn: draft.service === "none" ? "" : draft.arn } })}
      saved={reload} closed={closedNow(found)}
      form={({ draft, change, problems }) => (
        <>
          <FormField label="Dead-letter queue service" description="The event is sent there after all tries.">
            <Select
              options={OPTIONS} selectedOption={OPTIONS.find(({ value }) => value === draft.service)!}
              onChange={({ detail }) => change({ service: detail.selectedOption.value as Service })}
            />
          </FormField>
          {draft.service !== "none" && (
            <FormField label={`${KINDS[draft.service].title} ARN`} description="A standard one: FIFO is not taken." errorText={problems.arn}>
              <Input
                value={draft.arn} placeholder={KINDS[draft.service].example} spellcheck={false}
                onChange={({ detail }) => change({ arn: detail.value.trim() })}
              />
            </FormField>
          )}
        </>
      )}
    >
      <KeyValuePairs
        columns={2}
        items={[
          { label: "Dead-letter queue service", value: SERVICES[service] },
          { label: "Target", value: <span className="long">{target || "-"}</span> },
        ]}
      />
    </Settings>
  );
}

function check({ service, arn }: Draft): Problems<Draft> {
  const problem = service === "none" ? undefined : arnProblem(arn, KINDS[service]);
  return problem === undefined ? {} : { arn: problem };
}
