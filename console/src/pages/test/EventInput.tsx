/** The event: chosen, edited, saved under a name. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select, { type SelectProps } from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { LazyEditor } from "../../components/LazyEditor";
import { useConsole } from "../../app/context";
import { eventProblem, saveEvents, savedEvents, withEvent } from "./events";
import { pretty } from "./runs";
import { TEMPLATES } from "./templates";

export function EventInput({ functionName, event, onChange, onRun }: {
  functionName: string; event: string; onChange: (event: string) => void; onRun: () => void;
}) {
  const place = useConsole();
  const [saved, setSaved] = useState(() => savedEvents(place, functionName));
  const [chosen, setChosen] = useState<string>();
  const [name, setName] = useState("");
  const options: SelectProps.Options = [
    ...(saved.length > 0 ? [{ label: "Your events", options: saved.map((each) => ({ label: each.name, value: `saved:${each.name}` })) }] : []),
    { label: "Templates", options: TEMPLATES.map(({ id, title }) => ({ label: title, value: `template:${id}` })) },
  ];
  const keep = (events: typeof saved) => {
    saveEvents(place, functionName, events);
    setSaved(events);
  };
  const choose = (value: string) => {
    const [kind, id] = [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)];
    const found = kind === "saved" ? saved.find((each) => each.name === id)?.body : TEMPLATES.find((each) => each.id === id)?.event;
    setChosen(value);
    setName(kind === "saved" ? id : "");
    onChange(found ?? "");
  };
  const own = chosen?.startsWith("saved:") ? chosen.slice("saved:".length) : undefined;
  return (
    <SpaceBetween size="m">
      <div className="event-bar">
        <FormField label="Event">
          <Select
            placeholder="Choose an event or a template"
            options={options}
            selectedOption={chosen === undefined ? null : { value: chosen, label: own ?? TEMPLATES.find(({ id }) => `template:${id}` === chosen)?.title }}
            onChange={({ detail }) => choose(detail.selectedOption.value!)}
          />
        </FormField>
        <FormField label="Name to save it under" description="Private: kept in this browser.">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={name.trim() === ""} onClick={() => { keep(withEvent(saved, { name: name.trim(), body: event })); setChosen(`saved:${name.trim()}`); }}>
            Save
          </Button>
          {own !== undefined && (
            <Button onClick={() => { keep(saved.filter((each) => each.name !== own)); setChosen(undefined); setName(""); }}>Delete</Button>
          )}
          <Button onClick={() => onChange(pretty(event))}>Format</Button>
        </SpaceBetween>
      </div>
      <FormField label="Event JSON" errorText={eventProblem(event)} stretch>
        <LazyEditor id="event.json" label="Event JSON" text={event} onChange={onChange} onSave={onRun} height="16em" />
      </FormField>
    </SpaceBetween>
  );
}
