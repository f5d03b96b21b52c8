/** The account's pool of concurrency: a bar, and its figures by function. */

import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { type FunctionConcurrency, type Pool as Found, readPool } from "../../../api/pool";
import { useConsole } from "../../../app/context";
import { type Column, ListTable } from "../../../components/ListTable";
import { Shown } from "../../../components/Shown";
import { useWatched } from "../../../components/useWatched";
import { FunctionLink } from "../ItemLink";
import { type Segment, claimOf, claimText, segmentsOf } from "./segments";

const OFTEN = 10_000;
/** As many as console.css has. */
const COLOURS = 6;

const COLUMNS: readonly Column<FunctionConcurrency>[] = [
  { id: "claim", header: "Taken out of the pool", cell: claimText, value: claimOf },
  { id: "used", header: "In use now", cell: ({ InUse }) => InUse, value: ({ InUse }) => InUse },
];

export function Pool() {
  const place = useConsole();
  const { loaded, reload } = useWatched(useCallback(() => readPool(place), [place]), OFTEN);
  return (
    <Container header={<Header variant="h2" description="Shared by all functions of the account in this region.">Concurrency</Header>}>
      <Shown loaded={loaded} reload={reload} what="the pool">
        {(pool) => (
          <SpaceBetween size="l">
            <Bar pool={pool} segments={segmentsOf(pool)} />
            <ListTable<FunctionConcurrency>
              title="By function" variant="h3" loaded={{ state: "ready", value: pool.Functions }} reload={reload} columns={[nameIn(segmentsOf(pool)), ...COLUMNS]}
              trackBy={({ FunctionName }) => FunctionName} searchable={pool.Functions.length > 10}
              empty="No function has reserved or provisioned concurrency, and none runs now."
            />
          </SpaceBetween>
        )}
      </Shown>
    </Container>
  );
}

/** Functions with the colours that they have in the bar. */
function nameIn(segments: readonly Segment[]): Column<FunctionConcurrency> {
  const colours = new Map(segments.map(({ functionName }, at) => [functionName, colourAt(at)]));
  return {
    id: "name", header: "Function", value: ({ FunctionName }) => FunctionName, cell: ({ FunctionName }) => (
      <><span className={`pool-key ${colours.get(FunctionName) ?? "pool-unreserved"}`} aria-hidden="true" /> <FunctionLink name={FunctionName} /></>
    ),
  };
}

function colourAt(at: number): string {
  return `pool-${at % COLOURS}`;
}

function Bar({ pool, segments }: { pool: Found; segments: readonly Segment[] }) {
  const told = `${pool.InUse} of ${pool.Limit} in use now; ${pool.Claimed} taken by functions, ${pool.UnreservedInUse} of ${pool.Unreserved} unreserved in use.`;
  return (
    <div>
      <div className="pool" role="img" aria-label={`The pool: ${told}`}>
        {segments.map(({ name, functionName, size, used, share, filled }, at) => (
          <span
            key={name} className={functionName === undefined ? "pool-unreserved" : colourAt(at)} style={{ inlineSize: `${share}%` }}
            title={`${name}: ${used} of ${size} in use`}
          >
            <span style={{ inlineSize: `${filled}%` }} />
          </span>
        ))}
      </div>
      <Box color="text-body-secondary">{told}</Box>
    </div>
  );
}
