import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

const TYPES: Record<string, StatusIndicatorProps.Type> = {
  Active: "success", Pending: "in-progress", Inactive: "stopped", Failed: "error", Deleting: "in-progress",
};

export function FunctionState({ state, reason }: { state: string; reason?: string }) {
  if (state === "") return <>-</>;
  return <StatusIndicator type={TYPES[state] ?? "info"}>{reason ? `${state}: ${reason}` : state}</StatusIndicator>;
}
