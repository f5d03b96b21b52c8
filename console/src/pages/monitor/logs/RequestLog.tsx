/** The log of one request. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useCallback, useMemo, useState } from "react";
import { logGroupOf, logPage } from "../../../api/logs";
import { useConsole } from "../../../app/context";
import { choose } from "../../../app/router";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { useRefreshed } from "../../../components/useRefreshed";
import type { SectionProps } from "../section";
import { LogRows, toggled } from "./LogRows";
import { linesOfRequest } from "./oneRequest";
import { rowsOf } from "./requests";
import { ALL, linksOf } from "./view";
import { Empty } from "./WholeLog";

export function RequestLog({ found, request, stream, at }: SectionProps & { request: string; stream?: string; at?: number }) {
  const place = useConsole();
  const group = logGroupOf(found);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const load = useCallback((signal: AbortSignal) => (
    linesOfRequest((wanted, during) => logPage(place, group, wanted, during), request, { stream, at }, signal)
  ), [place, group, request, stream, at]);
  const { value, problem, busy, reload } = useRefreshed(load, 0);
  const rows = useMemo(() => rowsOf(value?.lines ?? [], { least: ALL, grouped: true, folded }), [value, folded]);
  const links = useMemo(() => linksOf(place.region, found), [place, found]);
  return (
    <SpaceBetween size="m">
      <Header
        variant="h2"
        description={`Request ${request}`}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button iconName="refresh" ariaLabel="Refresh" loading={busy} onClick={reload} />
            <Button onClick={() => choose({ request: undefined, stream: undefined, at: undefined })}>The whole log</Button>
          </SpaceBetween>
        }
      >
        Logs of a request
      </Header>
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {!value && !problem && <Box textAlign="center"><Spinner /> Loading the request's lines</Box>}
      {value?.cut && <Alert type="warning">The request has more lines than are shown here.</Alert>}
      {value && (rows.length === 0
        ? <Empty title="No lines">The log has none of this request. They may be written in a moment.</Empty>
        : <LogRows rows={rows} following={false} links={links} toggleGroup={(key) => setFolded(toggled(folded, key))} />)}
    </SpaceBetween>
  );
}
