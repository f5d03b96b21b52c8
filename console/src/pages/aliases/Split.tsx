/** How the invocations of an alias are shared out among versions, as it was measured. */

import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useCallback, useState } from "react";
import { executedVersions } from "../../api/executed";
import { useConsole } from "../../app/context";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useWatched } from "../../components/useWatched";
import { Trial } from "./Trial";
import { type Part, partsOf } from "./split";
import { percentText } from "./text";

const RANGES = [5, 15, 60];
const BETWEEN_LOOKS = 3000;

export function Split({ name, alias, shares }: { name: string; alias: string; shares: ReadonlyMap<string, number> }) {
  const place = useConsole();
  const [minutes, setMinutes] = useState(RANGES[0]!);
  const load = useCallback(() => executedVersions(place, name, alias, minutes), [place, name, alias, minutes]);
  const { value: counts, problem, reload } = useWatched(load, BETWEEN_LOOKS);
  return (
    <Container
      header={
        <Header
          variant="h2" description="Invocations of the alias by the version that ran, from its metrics. Looked at every few seconds."
          actions={
            <SegmentedControl
              label="Minutes" selectedId={String(minutes)} options={RANGES.map((each) => ({ id: String(each), text: `${each} min` }))}
              onChange={({ detail }) => setMinutes(Number(detail.selectedId))}
            />
          }
        >
          Measured split
        </Header>
      }
    >
      <SpaceBetween size="l">
        {problem && <ProblemAlert problem={problem} retry={reload} />}
        {counts === undefined
          ? !problem && <Box><Spinner /> Loading the metrics</Box>
          : <Parts parts={partsOf(shares, counts)} />}
        <Trial name={name} alias={alias} onDone={reload} />
      </SpaceBetween>
    </Container>
  );
}

function Parts({ parts }: { parts: Part[] }) {
  return (
    <Table<Part>
      variant="embedded"
      ariaLabels={{ tableLabel: "Measured split" }}
      items={parts}
      trackBy="version"
      columnDefinitions={[
        { id: "version", header: "Version", isRowHeader: true, cell: ({ version }) => version },
        { id: "set", header: "Set", cell: ({ set }) => (set === undefined ? "not any more" : percentText(set)) },
        { id: "count", header: "Invocations", cell: ({ count }) => count },
        { id: "measured", header: "Measured", minWidth: 160, cell: ({ version, measured }) => (
          measured === undefined ? "nothing ran" : <ProgressBar ariaLabel={`Measured share of version ${version}`} value={measured * 100} />
        ) },
      ]}
    />
  );
}
