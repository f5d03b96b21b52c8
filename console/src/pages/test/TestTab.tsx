/** Invokes the function, and shows what came of it. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import RadioGroup from "@cloudscape-design/components/radio-group";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import type { Way } from "../../api/invoke";
import { useConsole } from "../../app/context";
import { Text } from "../../components/Text";
import { Time } from "../../components/Time";
import { milliseconds } from "../../components/format";
import { linksOf } from "../monitor/logs/view";
import { EventInput } from "./EventInput";
import { RunResult, Verdict } from "./RunResult";
import { eventProblem } from "./events";
import { type Run, WAYS, runsOf } from "./runs";
import { TEMPLATES } from "./templates";
import { useInvocation } from "./useInvocation";

const EXPLAINED: Record<Way, string> = {
  RequestResponse: "Runs it and waits.",
  Stream: "Shows parts of the answer as they arrive.",
  Event: "Puts the event into the queue and does not wait.",
  DryRun: "Checks the rights and the event, and runs nothing.",
};

export function TestTab({ found }: { found: FunctionConfiguration }) {
  const { region } = useConsole();
  const arn = found.FunctionArn ?? "";
  const [event, setEvent] = useState(TEMPLATES[0]!.event);
  const [way, setWay] = useState<Way>("RequestResponse");
  const [runs, setRuns] = useState(() => runsOf(arn));
  const [chosen, setChosen] = useState<Run | undefined>(runs[0]);
  const { run, running, text, stop } = useInvocation(found, (all) => {
    setRuns(all);
    setChosen(all[0]);
  });
  const problem = eventProblem(event);
  const links = linksOf(region, found);
  const start = () => problem === undefined && void run(way, event);
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                {running && <Button onClick={stop}>Stop waiting</Button>}
                <Button variant="primary" loading={running} disabled={problem !== undefined} onClick={start}>Test</Button>
              </SpaceBetween>
            }
          >
            Test event
          </Header>
        }
      >
        <SpaceBetween size="m">
          <EventInput functionName={found.FunctionName ?? ""} event={event} onChange={setEvent} onRun={start} />
          <FormField label="Invocation">
            <RadioGroup
              value={way}
              direction="horizontal"
              ariaLabel="Invocation"
              onChange={({ detail }) => setWay(detail.value as Way)}
              items={(Object.keys(WAYS) as Way[]).map((value) => ({ value, label: WAYS[value], description: EXPLAINED[value] }))}
            />
          </FormField>
        </SpaceBetween>
      </Container>
      {running && (
        <Container header={<Header variant="h2" info={<StatusIndicator type="in-progress">Running</StatusIndicator>}>Result</Header>}>
          {text === "" ? <Box>Nothing arrived yet.</Box> : <Text label="Payload so far" text={text} />}
        </Container>
      )}
      {!running && chosen && <RunResult run={chosen} logs={(request) => links.ofRequest(request, undefined, chosen.at.getTime())} />}
      {runs.length > 0 && <Runs runs={runs} chosen={chosen} onChoose={setChosen} />}
    </SpaceBetween>
  );
}

function Runs({ runs, chosen, onChoose }: { runs: readonly Run[]; chosen?: Run; onChoose: (run: Run) => void }) {
  return (
    <Table<Run>
      header={<Header variant="h2" description="Since this page was opened.">Last runs</Header>}
      ariaLabels={{ tableLabel: "Last runs" }}
      items={[...runs]}
      trackBy={({ id }) => String(id)}
      columnDefinitions={[
        { id: "at", header: "Started", isRowHeader: true, cell: (run) => (
          <Link href="#" onFollow={(event) => { event.preventDefault(); onChoose(run); }}>
            Run {run.id}, <Time at={run.at} />
          </Link>
        ) },
        { id: "way", header: "Invocation", cell: ({ way }) => WAYS[way] },
        { id: "verdict", header: "Result", cell: (run) => <Verdict run={run} /> },
        { id: "duration", header: "Duration", cell: ({ report }) => (report?.duration === undefined ? "-" : milliseconds(report.duration)) },
        { id: "start", header: "Start", cell: ({ report }) => (report === undefined ? "-" : report.init !== undefined ? "cold" : "warm") },
        { id: "version", header: "Version", cell: ({ outcome }) => outcome?.version ?? "-" },
        { id: "shown", header: "Shown", cell: (run) => (run === chosen ? "above" : "") },
      ]}
    />
  );
}
