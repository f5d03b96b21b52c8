/** The columns of the list of invocations. */

import Badge from "@cloudscape-design/components/badge";
import Link from "@cloudscape-design/components/link";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { TableProps } from "@cloudscape-design/components/table";
import { follow } from "../../../app/router";
import { milliseconds } from "../../../components/format";
import type { Report } from "../../test/report";
import { clock, exactly } from "../logs/clock";
import type { Links } from "../logs/LogRow";
import type { Invocation } from "./invocations";

type Column = TableProps.ColumnDefinition<Invocation>;

export function columns(links: Links): Column[] {
  return [
    { id: "at", header: "Ended", sortingComparator: (a, b) => a.at - b.at || (a.id < b.id ? -1 : 1), cell: ({ at }) => (
      <time dateTime={new Date(at).toISOString()} title={exactly(at)}>{clock(at, new Date())}</time>
    ) },
    { id: "request", header: "Request ID", isRowHeader: true, cell: ({ request, stream, at }) => (
      <Link href={links.ofRequest(request, stream, at)} onFollow={follow} ariaLabel={`${request}, its logs`}>{request}</Link>
    ) },
    { id: "version", header: "Version", cell: ({ version }) => version ?? "-",
      sortingComparator: (a, b) => (a.version ?? "").localeCompare(b.version ?? "", "en", { numeric: true }) },
    { id: "outcome", header: "Result", sortingComparator: (a, b) => result(a).localeCompare(result(b)), cell: (invocation) => (
      <StatusIndicator type={invocation.outcome === "succeeded" ? "success" : "error"}>{result(invocation)}</StatusIndicator>
    ) },
    { id: "start", header: "Start", sortingComparator: (a, b) => Number(a.cold) - Number(b.cold), cell: ({ cold }) => (
      cold ? <Badge color="blue">cold</Badge> : "warm"
    ) },
    figure("duration", "Duration", ({ duration }) => duration, milliseconds),
    figure("billed", "Billed duration", ({ billed }) => billed, milliseconds),
    figure("init", "Init duration", ({ init, restore }) => init ?? restore, milliseconds),
    figure("used", "Memory used", ({ used }) => used, (value, { memory }) => `${value} of ${memory} MB`),
  ];
}

function figure(id: string, header: string, of: (report: Report) => number | undefined, words: (value: number, report: Report) => string): Column {
  return {
    id, header, sortingComparator: (a, b) => (of(a.report) ?? -1) - (of(b.report) ?? -1),
    cell: ({ report }) => {
      const value = of(report);
      return value === undefined ? "-" : words(value, report);
    },
  };
}

function result({ outcome, errorType }: Invocation): string {
  if (outcome === "succeeded") return "Succeeded";
  return outcome === "timeout" ? "Timed out" : errorType ?? "Error";
}
