/** Environment variables as they are, hidden until somebody asks to see them. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Table from "@cloudscape-design/components/table";
import type { Variable } from "./variables";

export function VariablesTable({ variables, shown, onShow }: {
  variables: readonly Variable[]; shown: ReadonlySet<string>; onShow: (shown: ReadonlySet<string>) => void;
}) {
  const toggle = (key: string) => {
    const changed = new Set(shown);
    if (!changed.delete(key)) changed.add(key);
    onShow(changed);
  };
  return (
    <Table<Variable>
      variant="embedded"
      ariaLabels={{ tableLabel: "Environment variables" }}
      items={variables}
      trackBy="key"
      wrapLines
      empty={<Box color="text-body-secondary">The function has no environment variables.</Box>}
      columnDefinitions={[
        { id: "key", header: "Key", isRowHeader: true, cell: ({ key }) => <span className="long">{key}</span> },
        { id: "value", header: "Value", cell: ({ key, value }) => (
          shown.has(key) ? <span className="long lines">{value}</span> : <Box variant="span" color="text-body-secondary">hidden</Box>
        ) },
        { id: "show", header: "Shown", width: 110, cell: ({ key }) => (
          <Button variant="inline-link" ariaLabel={`${shown.has(key) ? "Hide" : "Show"} the value of ${key}`} onClick={() => toggle(key)}>
            {shown.has(key) ? "Hide" : "Show"}
          </Button>
        ) },
      ]}
    />
  );
}
