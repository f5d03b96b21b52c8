/** The log as it comes, with what somebody looks for in it. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { type ReactNode, useMemo, useState } from "react";
import { qualifierOf } from "../../../api/functions";
import { logGroupOf } from "../../../api/logs";
import { useConsole } from "../../../app/context";
import { choose } from "../../../app/router";
import { ProblemAlert } from "../../../components/ProblemAlert";
import type { SectionProps } from "../section";
import { LogFilters } from "./LogFilters";
import { LogRows, toggled } from "./LogRows";
import { exactly } from "./clock";
import type { Line } from "./lines";
import { patternOf } from "./pattern";
import { rowsOf } from "./requests";
import { type Tail, useTail } from "./useTail";
import { type View, linksOf, shownOf, versionsIn, viewOf } from "./view";
import { BOUNDS } from "./window";

const COUNT = new Intl.NumberFormat("en");

export function WholeLog({ found, query }: SectionProps & { query: URLSearchParams }) {
  const place = useConsole();
  const view = useMemo(() => viewOf(query, qualifierOf(found)), [query, found]);
  const [paused, setPaused] = useState(false);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const group = logGroupOf(found);
  const tail = useTail(place, group, { pattern: patternOf(view.search), at: view.at, paused });
  const { window: { lines }, state, problem, reload, clear } = tail;
  const { least, grouped, version } = view;
  const shown = useMemo(() => shownOf(lines, found.FunctionName ?? "", version), [lines, found, version]);
  const rows = useMemo(() => rowsOf(shown, { least, grouped, folded }), [shown, least, grouped, folded]);
  const links = useMemo(() => linksOf(place.region, found), [place, found]);
  const count = useMemo(() => rows.filter(({ kind }) => kind === "line").length, [rows]);
  const live = view.at === undefined;
  return (
    <SpaceBetween size="m">
      <Header
        variant="h2"
        counter={state === "ready" ? `(${COUNT.format(count)})` : undefined}
        description={<>Log group {group}</>}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {live
              ? <Button iconName={paused ? "play" : "pause"} onClick={() => setPaused(!paused)}>{paused ? "Resume" : "Pause"}</Button>
              : <Button onClick={() => choose({ at: undefined, line: undefined })}>Back to the latest lines</Button>}
            <Button onClick={clear} disabled={lines.length === 0}>Clear</Button>
          </SpaceBetween>
        }
      >
        Logs
      </Header>
      <LogFilters view={view} versions={versionsIn(lines, version)} qualifier={qualifierOf(found)} />
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {state === "absent" && <Empty title="There is no log yet">The log group {group} comes to be with the first line that the function writes.</Empty>}
      {state === "loading" && !problem && <Box textAlign="center"><Spinner /> {view.search === "" ? "Loading the log" : "Searching"}</Box>}
      {state === "ready" && (
        <LogRows
          rows={rows} following={live} target={targetOf(view, shown)} links={links} toggleGroup={(key) => setFolded(toggled(folded, key))}
          before={<Edge tail={tail} searching={view.search !== ""} />}
          after={<Foot tail={tail} live={live} paused={paused} nothing={rows.length === 0} hidden={lines.length > 0} at={view.at} />}
        />
      )}
    </SpaceBetween>
  );
}

/** The line that was looked at, or the first from the moment on. */
function targetOf({ line, at }: View, lines: readonly Line[]): string | undefined {
  return line ?? (at === undefined ? undefined : lines.find((each) => each.at >= at)?.id);
}

/** What is before the first line. */
function Edge({ tail: { window, busy, earlier }, searching }: { tail: Tail; searching: boolean }) {
  const { dropped, full, fromBeginning } = window;
  const reason = full ? `The page holds at most ${COUNT.format(BOUNDS.most)} lines: clear it, or jump to a time.` : undefined;
  return (
    <div className="log-edge">
      {fromBeginning
        ? <Box color="text-body-secondary">{searching ? "The whole log was searched." : "From the beginning of the log."}</Box>
        : <Button variant="inline-link" loading={busy} disabled={full} disabledReason={reason} onClick={earlier}>Load earlier lines</Button>}
      {dropped > 0 && <Box color="text-status-warning">{COUNT.format(dropped)} lines made room for later ones.</Box>}
    </div>
  );
}

/** What is after the last line. */
function Foot({ tail: { window, busy, later }, live, paused, nothing, hidden, at }: {
  tail: Tail; live: boolean; paused: boolean; nothing: boolean; hidden: boolean; at?: number;
}) {
  return (
    <div className="log-edge">
      {nothing && <Box fontWeight="bold">{hidden ? "No line is of that level or version." : "No lines."}</Box>}
      {live
        ? <StatusIndicator type={paused ? "stopped" : "in-progress"}>{paused ? "Paused" : "Watching"}</StatusIndicator>
        : window.toEnd
          ? <Box color="text-body-secondary">The log ended here when it was read.</Box>
          : <Button variant="inline-link" loading={busy} onClick={later}>Load later lines</Button>}
      {at !== undefined && <Box color="text-body-secondary">Around {exactly(at)}</Box>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Box textAlign="center" padding="l">
      <b>{title}</b>
      <Box variant="p">{children}</Box>
    </Box>
  );
}
