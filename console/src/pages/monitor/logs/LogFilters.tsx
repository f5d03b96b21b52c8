/** What of a log is shown. All of it is in the address. */

import Button from "@cloudscape-design/components/button";
import DatePicker from "@cloudscape-design/components/date-picker";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import TimeInput from "@cloudscape-design/components/time-input";
import Toggle from "@cloudscape-design/components/toggle";
import { useEffect, useState } from "react";
import { choose } from "../../../app/router";
import { AskDialog } from "../../../components/Dialog";
import { ALL, type View, usualVersion } from "./view";

const LEVEL_OPTIONS = [
  { value: ALL, label: "All levels" }, { value: "DEBUG", label: "DEBUG and above" }, { value: "INFO", label: "INFO and above" },
  { value: "WARN", label: "WARN and above" }, { value: "ERROR", label: "ERROR and above" },
];
const ANY = { value: "", label: "All versions" };

export function LogFilters({ view, versions, qualifier }: { view: View; versions: readonly string[]; qualifier?: string }) {
  const [typed, setTyped] = useState(view.search);
  const [jumping, setJumping] = useState(false);
  useEffect(() => setTyped(view.search), [view.search]);
  const search = (text: string) => choose({ q: text.trim() || undefined });
  const options = [ANY, ...versions.map((value) => ({ value, label: value === "$LATEST" ? value : `Version ${value}` }))];
  return (
    <div className="filters">
      <div className="log-search">
        <FormField label="Search" description="Words, or a filter pattern. Upper and lower case count.">
          <Input
            type="search" value={typed} placeholder="Press Enter to search" clearAriaLabel="Clear the search"
            onChange={({ detail }) => { setTyped(detail.value); if (detail.value === "") search(""); }}
            onKeyDown={({ detail }) => detail.key === "Enter" && search(typed)}
          />
        </FormField>
      </div>
      <FormField label="Level">
        <Select
          options={LEVEL_OPTIONS} selectedOption={LEVEL_OPTIONS.find(({ value }) => value === view.least) ?? { value: view.least, label: view.least }} expandToViewport
          onChange={({ detail: { selectedOption: { value } } }) => choose({ level: value === ALL ? undefined : value }, { replace: true })}
        />
      </FormField>
      <FormField label="Version">
        <Select
          options={options} selectedOption={options.find(({ value }) => value === (view.version ?? "")) ?? ANY} expandToViewport
          onChange={({ detail: { selectedOption: { value } } }) => choose({ version: value === usualVersion(qualifier) ? undefined : value }, { replace: true })}
        />
      </FormField>
      <div className="log-toggle-field">
        <Toggle checked={view.grouped} onChange={({ detail }) => choose({ by: detail.checked ? "request" : undefined }, { replace: true })}>Group by request</Toggle>
      </div>
      <Button iconName="calendar" onClick={() => setJumping(true)}>Jump to time</Button>
      {jumping && (
        <AskDialog
          header="Jump to a time" label="Moment" description="In your zone. Lines around it are shown." action="Jump" initial={local(view.at ?? Date.now())}
          problemOf={(value) => (Number.isNaN(Date.parse(value)) ? "A date and a time are needed." : undefined)}
          input={(value, change) => {
            const [day = "", time = ""] = value.split("T");
            return (
              <div className="moment">
                <FormField label="Date">
                  <DatePicker value={day} openCalendarAriaLabel={() => "Choose a date"} onChange={({ detail }) => change(`${detail.value}T${time}`)} />
                </FormField>
                <FormField label="Time of day">
                  <TimeInput value={time} placeholder="hh:mm:ss" onChange={({ detail }) => change(`${day}T${detail.value}`)} />
                </FormField>
              </div>
            );
          }}
          onDone={(value) => { setJumping(false); choose({ at: new Date(value).toISOString(), line: undefined }); }}
          onClose={() => setJumping(false)}
        />
      )}
    </div>
  );
}

/** `2026-11-28T21:47:53` in the local zone. */
function local(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
