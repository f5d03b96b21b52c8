/** One invocation's result. */

import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { follow } from "../../app/router";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Text } from "../../components/Text";
import { Time } from "../../components/Time";
import { milliseconds } from "../../components/format";
import { type Run, pretty, verdict } from "./runs";

/** `logs`: the address of a request's log. */
export function RunResult({ run, logs }: { run: Run; logs: (request: string) => string }) {
  const { outcome, problem } = run;
  return (
    <Container header={<Header variant="h2" info={<Verdict run={run} />}>Result</Header>}>
      <SpaceBetween size="m">
        {problem && <ProblemAlert problem={problem} />}
        {outcome && (
          <>
            <KeyValuePairs columns={4} items={figures(run)} />
            {run.way !== "DryRun" && outcome.requestId && <Link href={logs(outcome.requestId)} onFollow={follow}>Logs of this request</Link>}
            {run.way === "Event" && <Alert type="info">The event is in the queue; what becomes of it is in the function's log.</Alert>}
            {outcome.payload !== "" && <Text label="Payload" text={pretty(outcome.payload)} />}
            {outcome.log !== "" && <Text label="End of the log (4 KB)" text={outcome.log} />}
          </>
        )}
      </SpaceBetween>
    </Container>
  );
}

export function Verdict({ run }: { run: Run }) {
  const { good, text } = verdict(run);
  return <StatusIndicator type={good ? "success" : "error"}>{text}</StatusIndicator>;
}

function figures({ outcome, at, took, report = {} }: Run) {
  const all: [string, string | undefined][] = [
    ["Status", String(outcome?.status)],
    ["Executed version", outcome?.version],
    ["Request ID", outcome?.requestId],
    ["Duration", ms(report.duration)],
    ["Billed duration", ms(report.billed)],
    ["Init duration", ms(report.init)],
    ["Restore duration", ms(report.restore)],
    ["Memory used", report.used === undefined ? undefined : `${report.used} of ${report.memory} MB`],
    ["Seen by the browser", ms(took)],
  ];
  const shown = all.filter((pair): pair is [string, string] => pair[1] !== undefined);
  return [...shown.map(([label, value]) => ({ label, value })), { label: "Started", value: <Time at={at} /> }];
}

function ms(value: number | undefined): string | undefined {
  return value === undefined ? undefined : milliseconds(value);
}
