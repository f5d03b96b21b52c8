/** A destination that is added or changed. */

import FormField from "@cloudscape-design/components/form-field";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import { CONDITIONS, type Condition, type EventInvoke, changeEventInvoke } from "../../../api/eventInvoke";
import { useConsole } from "../../../app/context";
import { LATEST } from "../../../app/places";
import { EditForm, type Problems } from "../../../components/EditForm";
import { QualifierSelect } from "../QualifierSelect";
import { DestinationInput } from "./DestinationInput";
import { CONDITION_TITLES, KINDS, type Kind, type KindId, type Route, arnProblem, kindOf } from "./destinations";

const OPTIONS = (Object.keys(KINDS) as KindId[]).map((value) => ({ value, label: KINDS[value].title }));

interface Draft extends Route {
  readonly kind: KindId;
}

/** `route`: what is changed; without, one is added, of `qualifier` at first. `all`: what the function has. */
export function DestinationForm({ name, all, route, qualifier: shown = LATEST, saved, onClose }: {
  name: string; all: readonly EventInvoke[]; route?: Route; qualifier?: string; saved: () => void; onClose: () => void;
}) {
  const place = useConsole();
  const configOf = (qualifier: string) => all.find((each) => each.qualifier === qualifier);
  const save = ({ qualifier, condition, arn }: Draft) => {
    const config = configOf(qualifier);
    return changeEventInvoke(place, name, qualifier, config !== undefined, { destinations: { ...config?.destinations, [condition]: arn } });
  };
  return (
    <EditForm<Draft>
      title={route ? `Destination of ${route.qualifier}, ${CONDITION_TITLES[route.condition].toLowerCase()}` : "Add destination"}
      done="The destination is saved."
      start={{ qualifier: shown, condition: "OnFailure", arn: "", ...route, kind: (route && kindOf(route.arn)) ?? "sqs" }}
      check={check} save={save} saved={saved} onClose={onClose}
      form={({ draft: { qualifier, condition, kind, arn }, change, problems }) => {
        const replaced = configOf(qualifier)?.destinations[condition];
        return (
          <>
            {route === undefined && (
              <>
                <QualifierSelect name={name} label="Qualifier" latest value={qualifier} onChange={(chosen) => change({ qualifier: chosen })} />
                <FormField label="Condition" description={replaced && <span className="long">Takes the place of {replaced}.</span>}>
                  <RadioGroup
                    value={condition} onChange={({ detail }) => change({ condition: detail.value as Condition })}
                    items={CONDITIONS.map((value) => ({ value, label: CONDITION_TITLES[value] }))}
                  />
                </FormField>
              </>
            )}
            <FormField label="Destination type" errorText={problems.kind}>
              <Select
                options={OPTIONS.filter(({ value }) => takes(value, condition))} selectedOption={OPTIONS.find(({ value }) => value === kind)!}
                onChange={({ detail }) => change({ kind: detail.selectedOption.value as KindId })}
              />
            </FormField>
            <DestinationInput kind={kind} value={arn} problem={problems.arn} onChange={(given) => change({ arn: given })} />
          </>
        );
      }}
    />
  );
}

function takes(kind: KindId, condition: Condition): boolean {
  return (KINDS[kind] as Kind).conditions.includes(condition);
}

function check({ kind, condition, arn }: Draft): Problems<Draft> {
  if (!takes(kind, condition)) return { kind: "Buckets take failures only." };
  const problem = arnProblem(arn, KINDS[kind]);
  return problem === undefined ? {} : { arn: problem };
}
