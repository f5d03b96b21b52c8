import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import type { KeyMetadata } from "@aws-sdk/client-kms";

const SHOWN: Record<string, [StatusIndicatorProps.Type, string]> = {
  Enabled: ["success", "Enabled"], Disabled: ["stopped", "Disabled"], PendingDeletion: ["warning", "Pending deletion"],
};

export function KeyState({ about }: { about?: KeyMetadata }) {
  if (about?.KeyState === undefined) return <StatusIndicator type="info">May not be read</StatusIndicator>;
  const [type, text] = SHOWN[about.KeyState] ?? ["info", about.KeyState];
  return <StatusIndicator type={type} wrapText={false}>{text}</StatusIndicator>;
}
