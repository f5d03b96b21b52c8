/** Execution environments that are alive now, looked at again and again. */

import Select from "@cloudscape-design/components/select";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import { useCallback, useMemo, useState } from "react";
import { type Environment, listEnvironments } from "../../../api/environments";
import { useConsole } from "../../../app/context";
import { type Column, ListTable } from "../../../components/ListTable";
import { Time } from "../../../components/Time";
import { capital, size, span } from "../../../components/format";
import { useWatched } from "../../../components/useWatched";
import { FunctionLink } from "../ItemLink";
import { kindOf, memoryOf, summary } from "./shown";

const OFTEN = [
  { value: "2", label: "Every 2 seconds" }, { value: "10", label: "Every 10 seconds" }, { value: "0", label: "When asked" },
];

const TYPES: Partial<Record<Environment["State"], StatusIndicatorProps.Type>> = {
  busy: "in-progress", idle: "success", frozen: "stopped", stopping: "stopped",
};

/** `functionName`: of this function only. */
export function EnvironmentsTable({ functionName, variant = "h1" }: { functionName?: string; variant?: "h1" | "h2" }) {
  const place = useConsole();
  const [often, setOften] = useState(OFTEN[1]!);
  const every = Number(often.value) * 1000 || undefined;
  const { loaded, reload } = useWatched(useCallback(() => listEnvironments(place, functionName), [place, functionName]), every);
  const columns = useMemo(() => (functionName === undefined ? COLUMNS : COLUMNS.filter(({ id }) => id !== "function")), [functionName]);
  return (
    <ListTable<Environment>
      title="Environments" variant={variant} loaded={loaded} reload={reload} columns={columns} trackBy={({ EnvironmentId }) => EnvironmentId}
      description={`Where functions run: alive now. ${loaded.state === "ready" && loaded.value.length > 0 ? `${capital(summary(loaded.value))}.` : ""}`}
      wrapLines={false} empty="Nothing runs now, and nothing waits for an invocation."
      actions={
        <Select
          selectedOption={often} options={OFTEN} ariaLabel="How often to look" onChange={({ detail }) => setOften(detail.selectedOption as typeof often)}
        />
      }
    />
  );
}

const COLUMNS: readonly Column<Environment>[] = [
  { id: "id", header: "Environment", cell: ({ EnvironmentId }) => EnvironmentId.slice(0, 12), value: ({ EnvironmentId }) => EnvironmentId },
  { id: "function", header: "Function", cell: ({ FunctionName }) => <FunctionLink name={FunctionName} />, value: ({ FunctionName }) => FunctionName },
  { id: "version", header: "Version", cell: ({ Version }) => Version, value: ({ Version }) => Version },
  { id: "state", header: "State", cell: ({ State }) => <StatusIndicator type={TYPES[State] ?? "pending"} wrapText={false}>{State}</StatusIndicator>, value: ({ State }) => State },
  { id: "kind", header: "Kind", cell: kindOf, value: kindOf },
  { id: "age", header: "Age", cell: ({ Age, StartedAt }) => <span title={StartedAt.toISOString()}>{span(Age)}</span>, value: ({ Age }) => Age },
  { id: "memory", header: "Memory", cell: memoryOf, value: ({ MemoryUsed = 0 }) => MemoryUsed },
  { id: "peak", header: "Peak", cell: ({ MemoryPeak }) => (MemoryPeak === undefined ? "-" : size(MemoryPeak)), value: ({ MemoryPeak = 0 }) => MemoryPeak },
  { id: "invocations", header: "Invocations", cell: ({ Invocations }) => Invocations, value: ({ Invocations }) => Invocations },
  { id: "used", header: "Last used", cell: ({ LastUsedAt }) => (LastUsedAt ? <Time at={LastUsedAt} /> : "-"), value: ({ LastUsedAt }) => LastUsedAt?.getTime() ?? 0 },
];
