/** The settings that two versions do not share. */

import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import Toggle from "@cloudscape-design/components/toggle";
import { useMemo, useState } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import { type SettingDifference, settingDifferences } from "./settings";

const HIDDEN = "••••••••";

export function SettingsComparison({ before, after }: { before: FunctionConfiguration; after: FunctionConfiguration }) {
  const [open, setOpen] = useState(false);
  const found = useMemo(() => settingDifferences(before, after), [before, after]);
  const cell = (side: "before" | "after") => (difference: SettingDifference) => {
    const value = difference[side];
    if (value === undefined) return <Box color="text-status-inactive">not set</Box>;
    return <span className="lines">{difference.secret && !open ? HIDDEN : value}</span>;
  };
  return (
    <Table<SettingDifference>
      header={
        <Header
          variant="h2" counter={found.length > 0 ? `(${found.length})` : undefined}
          actions={found.some(({ secret }) => secret) && (
            <Toggle checked={open} onChange={({ detail }) => setOpen(detail.checked)}>Show values of variables</Toggle>
          )}
        >
          Configuration
        </Header>
      }
      ariaLabels={{ tableLabel: "Configuration that differs" }}
      items={found}
      trackBy="name"
      wrapLines
      empty={<Box>The configuration is the same.</Box>}
      columnDefinitions={[
        { id: "name", header: "Setting", isRowHeader: true, cell: ({ name }) => name },
        { id: "before", header: `Version ${before.Version}`, cell: cell("before") },
        { id: "after", header: `Version ${after.Version}`, cell: cell("after") },
      ]}
    />
  );
}
