/** How long and how often asynchronous invocations are tried, and where events go that failed. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { type EventInvoke, changeEventInvoke, eventInvokes } from "../../../api/eventInvoke";
import { qualifierOf } from "../../../api/functions";
import { useConsole } from "../../../app/context";
import { LATEST } from "../../../app/places";
import { type Problems, Settings } from "../../../components/Settings";
import { Watch } from "../../../components/Watch";
import { wholeNumbers } from "../../../components/numbers";
import { useWatched } from "../../../components/useWatched";
import type { SectionProps } from "../section";
import { DeadLetters } from "./DeadLetters";
import { ageProblem, ageText, partsOfAge, secondsOf } from "./age";

const TITLE = "Asynchronous invocation";
const RETRIES = ["0", "1", "2"].map((value) => ({ value }));
const DEFAULTS = { retries: 2, age: 21600 };

interface Draft {
  readonly hours: string;
  readonly minutes: string;
  readonly seconds: string;
  readonly retries: string;
}

export default function Asynchronous(props: SectionProps) {
  const place = useConsole();
  const name = props.found.FunctionName ?? "", qualifier = qualifierOf(props.found) ?? LATEST;
  const watched = useWatched(useCallback(() => eventInvokes(place, name), [place, name]));
  return (
    <SpaceBetween size="l">
      <Watch title={TITLE} what="the settings" watched={watched}>
        {(all) => <Tries name={name} qualifier={qualifier} config={all.find((each) => each.qualifier === qualifier)} saved={watched.reload} />}
      </Watch>
      <DeadLetters {...props} />
    </SpaceBetween>
  );
}

function Tries({ name, qualifier, config, saved }: { name: string; qualifier: string; config?: EventInvoke; saved: () => void }) {
  const place = useConsole();
  const { retries = DEFAULTS.retries, age = DEFAULTS.age } = config ?? {};
  return (
    <Settings<Draft>
      title={TITLE}
      description="Unpublished code, each version and each alias have settings of their own: the qualifier is chosen above."
      start={() => ({ ...partsOfAge(age), retries: `${retries}` })}
      check={check}
      save={(draft) => changeEventInvoke(place, name, qualifier, config !== undefined, { age: secondsOf(draft), retries: Number(draft.retries) })}
      saved={saved}
      form={({ draft, change, problems }) => (
        <>
          <FormField label="Maximum age of event" description="How long an event is kept in the queue: from 1 minute to 6 hours." errorText={problems.hours ?? problems.minutes ?? problems.seconds}>
            <div className="units">
              {(["hours", "minutes", "seconds"] as const).map((unit) => (
                <Input
                  key={unit} ariaLabel={`Maximum age of event, ${unit}`} inlineLabelText={unit} value={draft[unit]} inputMode="numeric"
                  onChange={({ detail }) => change({ [unit]: detail.value })}
                />
              ))}
            </div>
          </FormField>
          <FormField label="Retry attempts" description="How often it is tried again after the function returned an error.">
            <Select options={RETRIES} selectedOption={{ value: draft.retries }} onChange={({ detail }) => change({ retries: detail.selectedOption.value ?? "0" })} />
          </FormField>
        </>
      )}
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: "Qualifier", value: qualifier },
          { label: "Maximum age of event", value: `${ageText(age)}${config?.age === undefined ? " (default)" : ""}` },
          { label: "Retry attempts", value: `${retries}${config?.retries === undefined ? " (default)" : ""}` },
        ]}
      />
    </Settings>
  );
}

function check(draft: Draft): Problems<Draft> {
  const problems: Problems<Draft> = wholeNumbers({ hours: [draft.hours, 0, 6], minutes: [draft.minutes, 0, 59], seconds: [draft.seconds, 0, 59] });
  const told = Object.keys(problems).length === 0 ? ageProblem(secondsOf(draft)) : undefined;
  return told === undefined ? problems : { ...problems, hours: told };
}
