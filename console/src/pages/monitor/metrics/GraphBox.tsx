/** One graph, and its figures as a table. */

import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import LineChart from "@cloudscape-design/components/line-chart";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import type { Span } from "../range";
import { type Drawn, type Figures, figures, shown } from "./graphs";

const MINUTES = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAYS = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const MOST_ROWS = 200;
/** Points that are drawn as such: more of them are a line anyway. */
const MOST_DOTS = 30;

export function GraphBox({ drawn, span, wholeFunction }: { drawn: Drawn; span: Span; wholeFunction: boolean }) {
  const { graph, lines, measured, summary } = drawn;
  const [open, setOpen] = useState(false);
  const highest = Math.max(...lines.flatMap((line) => line.map(({ value }) => value)), 0);
  const dots = graph.unit === "milliseconds" && lines.every(({ length }) => length <= MOST_DOTS);
  const timeOf = span.end - span.start > 86400 ? DAYS : MINUTES;
  return (
    <Container
      fitHeight
      header={<Header variant="h3" description={wholeFunction ? `${graph.hint} Of the whole function.` : graph.hint}>{graph.title}</Header>}
      footer={measured && (
        <ExpandableSection headerText="Figures" headerAriaLabel={`Figures of ${graph.title}`} expanded={open} onChange={({ detail }) => setOpen(detail.expanded)}>
          {open && <FiguresTable drawn={drawn} />}
        </ExpandableSection>
      )}
    >
      <Box fontWeight="bold" padding={{ bottom: "xs" }}>{measured ? summary : "No figures in this range"}</Box>
      <div className={dots ? "dots" : undefined}>
        <LineChart<Date>
          series={lines.map((line, index) => ({
            type: "line", title: graph.lines[index]!.title, data: line.map(({ at, value }) => ({ x: new Date(at * 1000), y: value })),
            valueFormatter: (value) => shown(graph, value),
          }))}
          xDomain={[new Date(span.start * 1000), new Date(span.end * 1000)]}
          yDomain={[0, highest > 0 ? highest * 1.1 : 1]}
          xScaleType="time"
          height={160}
          hideFilter
          hideLegend={lines.length === 1}
          ariaLabel={`${graph.title}: ${measured ? summary : "no figures"}`}
          i18nStrings={{
            xTickFormatter: (at) => timeOf.format(at),
            yTickFormatter: (value) => (graph.unit === "count" && !Number.isInteger(value) ? "" : shown(graph, value)),
          }}
        />
      </div>
    </Container>
  );
}

function FiguresTable({ drawn }: { drawn: Drawn }) {
  const rows = figures(drawn);
  return (
    <Table<Figures>
      variant="embedded"
      items={rows.slice(0, MOST_ROWS)}
      trackBy={({ at }) => `${at}`}
      ariaLabels={{ tableLabel: `Figures of ${drawn.graph.title}` }}
      empty="Nothing but 0 in this range"
      columnDefinitions={[
        { id: "at", header: "From", isRowHeader: true, cell: ({ at }) => {
          const moment = new Date(at * 1000);
          return <time dateTime={moment.toISOString()} title={moment.toISOString()}>{moment.toLocaleString()}</time>;
        } },
        ...drawn.graph.lines.map(({ title }, index) => ({
          id: `${index}`, header: title, cell: ({ values }: Figures) => (values[index] === undefined ? "-" : shown(drawn.graph, values[index])),
        })),
      ]}
      footer={rows.length > MOST_ROWS && `The latest ${MOST_ROWS} of ${rows.length} periods with figures`}
    />
  );
}
