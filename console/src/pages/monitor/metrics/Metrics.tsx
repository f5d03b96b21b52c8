/** Graphs of what a function did, for a range of time. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useCallback, useMemo } from "react";
import { qualifierOf } from "../../../api/functions";
import { metricData } from "../../../api/metrics";
import { useConsole } from "../../../app/context";
import { choose, useQuery } from "../../../app/router";
import { ProblemAlert, ProblemText } from "../../../components/ProblemAlert";
import { useRefreshed } from "../../../components/useRefreshed";
import { RangePicker } from "../RangePicker";
import { Refresh } from "../Refresh";
import { periodInWords, rangeOf, spanOf } from "../range";
import { type SectionProps, intervalOf } from "../section";
import { GraphBox } from "./GraphBox";
import { GRAPHS, draw, queriesOf, versionGraphs } from "./graphs";
import { resourceOptions, versionsOf } from "./resources";
import { useResources } from "./useResources";

const EVERYTHING = "";

export function Metrics({ found }: SectionProps) {
  const place = useConsole();
  const query = useQuery();
  const functionName = found.FunctionName ?? "";
  const range = useMemo(() => rangeOf(query), [query]);
  const qualifier = qualifierOf(found);
  const usual = qualifier === undefined ? EVERYTHING : `${functionName}:${qualifier}`;
  const resource = query.get("resource") ?? usual;
  const { resources, problem: resourcesProblem } = useResources(place, functionName);
  const versions = useMemo(() => versionsOf(resources, resource), [resources, resource]);
  const load = useCallback(async (signal: AbortSignal) => {
    const span = spanOf(range, new Date());
    // One version is what the first graph shows anyway.
    const graphs = [...GRAPHS.slice(0, 1), ...(versions.length > 1 ? versionGraphs(versions) : []), ...GRAPHS.slice(1)];
    const subject = { functionName, resource: resource === EVERYTHING ? undefined : resource };
    return { span, drawn: draw(graphs, await metricData(place, queriesOf(graphs, subject), span, signal), span) };
  }, [place, functionName, range, resource, versions]);
  const { value, problem, busy, reload } = useRefreshed(load, intervalOf(query));
  const options = useMemo(() => [{ value: EVERYTHING, label: "All versions and aliases" }, ...resourceOptions(resources, functionName, resource)], [resources, functionName, resource]);
  return (
    <SpaceBetween size="m">
      <Header
        variant="h2"
        description={value && `A point for every ${periodInWords(value.span.period).replace(/^1 /, "")}.`}
        actions={<Refresh busy={busy} reload={reload} />}
      >
        Metrics
      </Header>
      <div className="filters">
        <FormField label="Range of time"><RangePicker range={range} /></FormField>
        <FormField label="Called by">
          <Select
            options={options}
            selectedOption={options.find((option) => option.value === resource) ?? null}
            onChange={({ detail: { selectedOption: { value } } }) => choose({ resource: value === usual ? undefined : value })}
            expandToViewport
          />
        </FormField>
      </div>
      {resourcesProblem && <Alert type="warning" header="Versions and aliases with figures cannot be listed"><ProblemText problem={resourcesProblem} /></Alert>}
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {!value && !problem && <Box textAlign="center"><Spinner /> Loading the figures</Box>}
      {value && (
        <div className="graphs">
          <svg className="hidden" aria-hidden>
            <marker id="dot" viewBox="-4 -4 8 8" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8"><circle r="3" fill="context-stroke" /></marker>
          </svg>
          {value.drawn.map((drawn) => <GraphBox key={drawn.graph.title} drawn={drawn} span={value.span} wholeFunction={resource !== EVERYTHING && drawn.graph.wholeFunction === true} />)}
        </div>
      )}
    </SpaceBetween>
  );
}
