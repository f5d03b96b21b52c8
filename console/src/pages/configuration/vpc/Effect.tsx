/** What comes of a network: the rules that hold, and what the function reaches. */

import Box from "@cloudscape-design/components/box";
import Icon, { type IconProps } from "@cloudscape-design/components/icon";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import type { Inside, Vpc } from "../../../api/networks";
import { type Line, reach } from "./reach";
import { effectiveRules } from "./rules";
import type { Draft } from "./settings";

const SIGNS: Record<Line["kind"], Pick<IconProps, "name" | "variant" | "ariaLabel">> = {
  yes: { name: "status-positive", variant: "success", ariaLabel: "Reached" },
  no: { name: "status-stopped", variant: "subtle", ariaLabel: "Not reached" },
  note: { name: "status-info", variant: "link", ariaLabel: "Note" },
};

export function Effect({ draft, vpc, inside }: { draft: Draft; vpc: Vpc; inside: Inside }) {
  const subnets = draft.subnets.flatMap((id) => inside.subnets.filter(({ SubnetId }) => SubnetId === id));
  const rules = effectiveRules(draft.groups.flatMap((id) => inside.groups.filter(({ GroupId }) => GroupId === id)));
  return (
    <SpaceBetween size="m">
      <div>
        <Box variant="h3">What the function reaches</Box>
        <ul className="plain" aria-label="What the function reaches">
          {reach({ vpc, subnets, rules, ipv6: draft.ipv6, inside }).map(({ kind, text }) => (
            <li key={text}><Icon {...SIGNS[kind]} /> {text}</li>
          ))}
        </ul>
      </div>
      <Box variant="h3">Effective rules</Box>
      <Table
        variant="embedded"
        wrapLines
        ariaLabels={{ tableLabel: "Effective rules" }}
        items={rules}
        empty={<Box>No rules: nothing gets out</Box>}
        columnDefinitions={[
          { id: "direction", header: "Direction", cell: ({ direction }) => direction },
          { id: "protocol", header: "Protocol", cell: ({ protocol }) => protocol },
          { id: "ports", header: "Ports", cell: ({ ports }) => ports },
          { id: "peer", header: "To or from", isRowHeader: true, cell: ({ peer }) => peer },
          { id: "groups", header: "Security groups", cell: ({ groups }) => groups.join(", ") },
          { id: "description", header: "Description", cell: ({ descriptions }) => descriptions.join("; ") || "-" },
        ]}
      />
    </SpaceBetween>
  );
}
