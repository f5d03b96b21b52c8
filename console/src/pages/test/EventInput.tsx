/** The event: chosen, edited, saved under a name, for oneself or for all in the account. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { Failure } from "../../api/errors";
import { ConfirmButton } from "../../components/ConfirmButton";
import { LazyEditor } from "../../components/LazyEditor";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useAction } from "../../components/useAction";
import { type Choice, type Kind, choiceOf, labelOf, optionsOf, valueOf } from "./choice";
import { eventProblem } from "./events";
import { pretty } from "./runs";
import { TEMPLATES } from "./templates";
import { useTestEvents } from "./useTestEvents";

const KINDS: Record<Kind, { readonly label: string; readonly description: string }> = {
  private: { label: "Private", description: "Kept in this browser, for you." },
  shared: { label: "Shared", description: "Kept with the function, for all in the account." },
};

export function EventInput({ functionName, event, onChange, onRun }: {
  functionName: string; event: string; onChange: (event: string) => void; onRun: () => void;
}) {
  const events = useTestEvents(functionName);
  const { busy, problem, run } = useAction();
  const [chosen, setChosen] = useState<Choice>();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Kind>("private");
  const saved = chosen !== undefined && chosen.kind !== "template" ? { kind: chosen.kind, name: chosen.name } : undefined;
  const other: Kind = saved?.kind === "shared" ? "private" : "shared";

  const settle = (next: Choice | undefined) => {
    setChosen(next);
    setName(next === undefined || next.kind === "template" ? "" : next.name);
    if (next !== undefined && next.kind !== "template") setKind(next.kind);
  };
  const open = (next: Choice) => run(async () => {
    onChange(next.kind === "template" ? (TEMPLATES.find(({ id }) => id === next.name)?.event ?? "") : await events.body(next.kind, next.name));
    settle(next);
  });
  const save = () => run(async () => {
    await events.save(kind, name.trim(), event);
    settle({ kind, name: name.trim() });
  });
  const move = (from: { kind: Kind; name: string }) => run(async () => {
    const taken = other === "shared" ? events.shared : events.own;
    if (taken.includes(from.name)) throw new Failure({ kind: "refused", message: `There is a ${other} event of this name already.` });
    await events.save(other, from.name, await events.body(from.kind, from.name));
    await events.remove(from.kind, from.name);
    settle({ kind: other, name: from.name });
  });
  return (
    <SpaceBetween size="m">
      {problem && <ProblemAlert problem={problem} />}
      <div className="event-bar">
        <FormField
          label="Event" warningText={events.problem && `Shared events are not shown. ${events.problem.code ?? ""}: ${events.problem.message}`}
        >
          <Select
            placeholder="Choose an event or a template" options={optionsOf(events.own, events.shared)}
            statusType={events.loading ? "loading" : "finished"} loadingText="Loading shared events"
            selectedOption={chosen === undefined ? null : { value: valueOf(chosen), label: labelOf(chosen), labelTag: saved && KINDS[saved.kind].label }}
            onChange={({ detail }) => void open(choiceOf(detail.selectedOption.value!))}
          />
        </FormField>
        <FormField label="Name to save it under">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        <FormField label="Saved as">
          <Select
            selectedOption={{ value: kind, label: KINDS[kind].label }}
            options={(Object.keys(KINDS) as Kind[]).map((value) => ({ value, ...KINDS[value] }))}
            onChange={({ detail }) => setKind(detail.selectedOption.value as Kind)}
          />
        </FormField>
      </div>
      <SpaceBetween direction="horizontal" size="xs">
        <Button disabled={name.trim() === ""} loading={busy} onClick={() => void save()}>Save</Button>
        {saved && <Button disabled={busy} onClick={() => void move(saved)}>{saved.kind === "shared" ? "Make private" : "Share"}</Button>}
        {saved && (
          <ConfirmButton
            name="Delete the event" header={`Delete event ${saved.name}`} run={() => events.remove(saved.kind, saved.name)}
            question={saved.kind === "shared" ? "It is deleted for all in the account." : "It is deleted in this browser."}
            done={`The event ${saved.name} is deleted.`} after={() => settle(undefined)}
          >
            Delete
          </ConfirmButton>
        )}
        <Button onClick={() => onChange(pretty(event))}>Format</Button>
      </SpaceBetween>
      <FormField label="Event JSON" errorText={eventProblem(event)} stretch>
        <LazyEditor id="event.json" label="Event JSON" text={event} onChange={onChange} onSave={onRun} height="16em" />
      </FormField>
    </SpaceBetween>
  );
}
