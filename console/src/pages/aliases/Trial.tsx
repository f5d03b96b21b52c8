/** Invokes an alias many times, and counts which versions answered. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useConsole } from "../../app/context";
import { ProblemAlert } from "../../components/ProblemAlert";
import { wholeNumbers } from "../../components/numbers";
import { eventProblem } from "../test/events";
import { countsText } from "./trial";
import { useTrial } from "./useTrial";

const MOST = 1000;

/** `onDone` is called when all were answered. */
export function Trial({ name, alias, onDone }: { name: string; alias: string; onDone: () => void }) {
  const place = useConsole();
  const [times, setTimes] = useState("20");
  const [event, setEvent] = useState("{}");
  const { running, tried, start, stop } = useTrial(place, name, alias, onDone);
  const problem = wholeNumbers({ times: [times, 1, MOST] }).times;
  const wrong = eventProblem(event);
  const done = tried ? tried.sum - tried.left : 0;
  return (
    <form onSubmit={(submitted) => { submitted.preventDefault(); if (!problem && !wrong) void start(Number(times), event); }}>
      <SpaceBetween size="m">
        <div className="with-button">
          <div className="pair">
            <FormField label="Test invocations" errorText={problem}>
              <Input value={times} inputMode="numeric" disabled={running} onChange={({ detail }) => setTimes(detail.value)} />
            </FormField>
            <FormField label="Event of each" errorText={wrong}>
              <Input value={event} spellcheck={false} disabled={running} onChange={({ detail }) => setEvent(detail.value)} />
            </FormField>
          </div>
          <SpaceBetween direction="horizontal" size="xs">
            {running && <Button formAction="none" onClick={stop}>Stop</Button>}
            <Button loading={running}>Send</Button>
          </SpaceBetween>
        </div>
        {tried?.problem && <ProblemAlert problem={tried.problem} />}
        {running && tried && <ProgressBar label="Sending" value={(done / tried.sum) * 100} additionalInfo={`${done} of ${tried.sum}`} />}
        {!running && tried && <Box><span role="status">{countsText(tried)}</span></Box>}
      </SpaceBetween>
    </form>
  );
}
