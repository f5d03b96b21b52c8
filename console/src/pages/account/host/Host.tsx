/** The machine: what `ingle doctor` tells, the server, runtimes, memory and disk. */

import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import { useCallback } from "react";
import { type Check, type Host as Found, type Runtime, describeHost } from "../../../api/host";
import { useConsole } from "../../../app/context";
import { type Column, ListTable } from "../../../components/ListTable";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { span } from "../../../components/format";
import { useWatched } from "../../../components/useWatched";
import { environmentsText, gaugesOf } from "./figures";

const OFTEN = 30_000;

const STATES: Record<Check["State"], [StatusIndicatorProps.Type, string]> = {
  ok: ["success", "OK"], weaker: ["warning", "Weaker"], missing: ["error", "Missing"],
};

const ISOLATION: Record<Found["Isolation"], string> = {
  root: "Sandboxes made as root", user: "Sandboxes made without root", process: "Processes of their own only",
};

const CHECKS: readonly Column<Check>[] = [
  { id: "subject", header: "Subject", cell: ({ Subject }) => Subject, value: ({ Subject }) => Subject },
  { id: "state", header: "State", cell: ({ State }) => <StatusIndicator type={STATES[State][0]} wrapText={false}>{STATES[State][1]}</StatusIndicator>, value: ({ State }) => State },
  { id: "detail", header: "Found", cell: ({ Detail }) => Detail, value: ({ Detail }) => Detail },
  { id: "consequence", header: "What follows", cell: ({ Consequence }) => Consequence || "-", value: ({ Consequence = "" }) => Consequence },
];

const RUNTIMES: readonly Column<Runtime>[] = [
  { id: "runtime", header: "Runtime", cell: ({ Runtime }) => Runtime, value: ({ Runtime }) => Runtime },
  { id: "version", header: "Version", cell: ({ Version }) => Version, value: ({ Version }) => Version },
  { id: "libraries", header: "Libraries", cell: ({ Libraries }) => Libraries || "-", value: ({ Libraries = "" }) => Libraries },
];

export default function Host() {
  const place = useConsole();
  const { loaded, reload } = useWatched(useCallback(() => describeHost(place), [place]), OFTEN);
  return (
    <ContentLayout
      header={
        <Header
          variant="h1" description="The machine and the server, for all accounts." actions={<Button iconName="refresh" ariaLabel="Refresh the host" onClick={reload} />}
        >
          Host
        </Header>
      }
    >
      <Shown loaded={loaded} reload={reload} what="the host">{(host) => <Parts host={host} reload={reload} />}</Shown>
    </ContentLayout>
  );
}

function Parts({ host, reload }: { host: Found; reload: () => void }) {
  return (
    <SpaceBetween size="l">
      {host.Problems.map((problem) => <Alert key={problem} type="warning" header="Something is wrong">{problem}</Alert>)}
      <Container header={<Header variant="h2">Server</Header>}>
        <SpaceBetween size="l">
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Version of Ingle", value: host.Version },
              { label: "Uptime", value: <span title={host.StartedAt.toISOString()}>{span(host.Uptime)}</span> },
              { label: "Isolation", value: ISOLATION[host.Isolation] ?? host.Isolation },
              { label: "Environments", value: environmentsText(host.Environments) },
              { label: "Processors", value: String(host.Processors) },
            ]}
          />
          {gaugesOf(host).map(({ label, value, text }) => <ProgressBar key={label} label={label} value={value} additionalInfo={text} />)}
        </SpaceBetween>
      </Container>
      <ListTable<Check>
        title="Checks" variant="h2" loaded={{ state: "ready", value: host.Checks }} reload={reload} columns={CHECKS} trackBy={({ Subject }) => Subject}
        description={<>What <code>ingle doctor</code> tells{host.CheckedAt && <>, found <Time at={host.CheckedAt} /></>}.</>}
        empty="This server may not look at the machine." searchable={false}
      />
      <ListTable<Runtime>
        title="Runtimes" variant="h2" loaded={{ state: "ready", value: host.Runtimes }} reload={reload} columns={RUNTIMES} trackBy={({ Runtime }) => Runtime}
        description="Interpreters on this machine, found when the server started." empty="No interpreter was found." searchable={false}
      />
    </SpaceBetween>
  );
}
