/** One key: state, aliases, rotation, policy. */

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { type Key, cancelDeletion, getKey, policyOf, setEnabled } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { Copied } from "../../../components/Copied";
import { DocumentText } from "../../../components/DocumentText";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { useAction } from "../../../components/useAction";
import { useLoad } from "../../../components/useLoad";
import { isAbsent } from "../absent";
import { Aliases } from "./Aliases";
import { KeyState } from "./KeyState";
import { Rotation } from "./Rotation";
import { ScheduleDeletion } from "./ScheduleDeletion";

export function KeyPage({ id }: { id: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => getKey(place, id), [place, id]));
  if (isAbsent(loaded)) return <Shown loaded={loaded} reload={reload} what="the key">{() => null}</Shown>;
  return (
    <ContentLayout header={<Header variant="h1">{id}</Header>}>
      <SpaceBetween size="l">
        <Shown loaded={loaded} reload={reload} what="the key">
          {(key) => <SpaceBetween size="l"><About key={key.about?.KeyState} found={key} reload={reload} /><Aliases found={key} reload={reload} /></SpaceBetween>}
        </Shown>
        <Rotation id={id} />
        <Policy id={id} />
      </SpaceBetween>
    </ContentLayout>
  );
}

function About({ found, reload }: { found: Key; reload: () => void }) {
  const place = useConsole();
  const { busy, problem, run } = useAction();
  const [scheduling, setScheduling] = useState(false);
  const { about } = found;
  const state = about?.KeyState;
  const change = async (work: () => Promise<unknown>) => {
    if (await run(work)) reload();
  };
  const enabled = state === "Enabled", pending = state === "PendingDeletion";
  const actions = about?.KeyManager !== "AWS" && (
    <SpaceBetween direction="horizontal" size="xs">
      {pending && <Button loading={busy} onClick={() => void change(() => cancelDeletion(place, found.id))}>Cancel deletion</Button>}
      {!pending && <Button loading={busy} onClick={() => void change(() => setEnabled(place, found.id, !enabled))}>{enabled ? "Disable" : "Enable"}</Button>}
      {!pending && <Button onClick={() => setScheduling(true)}>Schedule deletion</Button>}
    </SpaceBetween>
  );
  return (
    <Container header={<Header variant="h2" actions={actions}>General</Header>}>
      <SpaceBetween size="m">
        {problem && <ProblemAlert problem={problem} />}
        <KeyValuePairs
          columns={4}
          items={[
            { label: "State", value: <KeyState about={about} /> },
            { label: "ARN", value: <Copied text={found.arn} what="the ARN" /> },
            { label: "Kind", value: `${about?.KeySpec}, ${about?.KeyUsage}` },
            { label: "Description", value: about?.Description || "-" },
            { label: "Created", value: about?.CreationDate ? <Time at={about.CreationDate} /> : "-" },
            ...(about?.DeletionDate ? [{ label: "Deleted", value: <Time at={about.DeletionDate} /> }] : []),
          ]}
        />
      </SpaceBetween>
      {scheduling && <ScheduleDeletion id={found.id} onDone={() => { setScheduling(false); reload(); }} onClose={() => setScheduling(false)} />}
    </Container>
  );
}

function Policy({ id }: { id: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => policyOf(place, id), [place, id]));
  return (
    <Container header={<Header variant="h2">Key policy</Header>}>
      <Shown loaded={loaded} reload={reload} what="the policy">{(text) => <DocumentText label="Key policy" text={text} />}</Shown>
    </Container>
  );
}
