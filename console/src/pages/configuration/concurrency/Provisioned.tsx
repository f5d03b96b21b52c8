/** Environments that versions and aliases have initialised ahead. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { type Provisioned as Config, unprovision } from "../../../api/concurrency";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { Watch } from "../../../components/Watch";
import type { Watched } from "../../../components/useWatched";
import { ProvisionForm } from "./ProvisionForm";

const TITLE = "Provisioned concurrency configurations";

export function Provisioned({ name, provisioned, changed }: {
  name: string; provisioned: Watched<readonly Config[]>; changed: () => void;
}) {
  const place = useConsole();
  const [editing, setEditing] = useState<Config | "new">();
  if (editing) {
    return <ProvisionForm name={name} config={editing === "new" ? undefined : editing} saved={changed} onClose={() => setEditing(undefined)} />;
  }
  const actions = (config: Config) => (
    <SpaceBetween direction="horizontal" size="xs">
      <Button ariaLabel={`Edit ${config.qualifier}`} onClick={() => setEditing(config)}>Edit</Button>
      <ConfirmButton
        name={`Remove ${config.qualifier}`} header={`Remove the configuration of ${config.qualifier}`}
        question={`Environments that it has ready end (${config.allocated}). Invocations start new ones where they are needed.`}
        run={() => unprovision(place, name, config.qualifier)} done={`Nothing is provisioned for ${config.qualifier} any more.`} after={changed}
      >
        Remove
      </ConfirmButton>
    </SpaceBetween>
  );
  return (
    <Watch title={TITLE} what="the provisioned concurrency" watched={provisioned}>
      {(all) => (
        <Table<Config>
          header={
            <Header
              variant="h2" counter={`(${all.length})`} description="Environments of versions and aliases, initialised before they are needed."
              actions={<Button onClick={() => setEditing("new")}>Add configuration</Button>}
            >
              {TITLE}
            </Header>
          }
          ariaLabels={{ tableLabel: TITLE }}
          items={all}
          trackBy="qualifier"
          wrapLines
          empty={<Box color="text-body-secondary">Nothing is provisioned.</Box>}
          columnDefinitions={[
            { id: "qualifier", header: "Qualifier", isRowHeader: true, cell: ({ qualifier }) => `${/^\d+$/.test(qualifier) ? "Version" : "Alias"} ${qualifier}` },
            { id: "status", header: "Status", cell: (config) => <Status config={config} /> },
            { id: "requested", header: "Requested", cell: ({ requested }) => requested },
            { id: "allocated", header: "Allocated", cell: ({ allocated }) => allocated },
            { id: "available", header: "Available", cell: ({ available }) => available },
            { id: "actions", header: "Actions", minWidth: 220, cell: actions },
          ]}
        />
      )}
    </Watch>
  );
}

function Status({ config: { status, reason } }: { config: Config }) {
  if (status === "READY") return <StatusIndicator wrapText={false}>Ready</StatusIndicator>;
  if (status === "IN_PROGRESS") return <StatusIndicator type="in-progress" wrapText={false}>In progress</StatusIndicator>;
  return <StatusIndicator type="error">{reason ? `Failed: ${reason}` : "Failed"}</StatusIndicator>;
}
