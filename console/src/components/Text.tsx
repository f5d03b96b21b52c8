/** Lines of text that somebody else wrote, in a frame that scrolls. */

import Box from "@cloudscape-design/components/box";

export function Text({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <pre className="text" tabIndex={0} aria-label={label} role="region">{text}</pre>
    </div>
  );
}
