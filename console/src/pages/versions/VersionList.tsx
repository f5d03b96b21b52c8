/** All versions, what leads to them, and publishing another one. */

import { useCollection } from "@cloudscape-design/collection-hooks";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useCallback, useMemo, useState } from "react";
import { listProvisioned } from "../../api/versions";
import { useConsole } from "../../app/context";
import { LATEST, addressOf } from "../../app/places";
import { navigate } from "../../app/router";
import { ProblemAlert, ProblemText } from "../../components/ProblemAlert";
import { useLoad } from "../../components/useLoad";
import type { Qualifiers } from "../function/useQualifiers";
import { PublishForm } from "./PublishForm";
import { columns } from "./columns";
import { type Row, rowsOf } from "./rows";

const PAGE = 20;

export function VersionList({ name, qualifiers, onChanged }: { name: string; qualifiers: Qualifiers; onChanged: () => void }) {
  const place = useConsole();
  const { versions = [], aliases = [], loading, versionsProblem: problem, aliasesProblem, reload } = qualifiers;
  const [publishing, setPublishing] = useState(false);
  const { loaded: provisioned } = useLoad(useCallback(() => listProvisioned(place, name), [place, name]));
  const rows = useMemo(
    () => rowsOf(versions, aliases, provisioned.state === "ready" ? provisioned.value : new Map()), [versions, aliases, provisioned],
  );
  const definitions = columns(place, name, onChanged);
  const { items, collectionProps, paginationProps, actions } = useCollection(rows, {
    pagination: { pageSize: PAGE }, selection: { trackBy: "version" },
    sorting: { defaultState: { sortingColumn: definitions[0]!, isDescending: true } },
  });
  // A version that was deleted meanwhile is none of them any more.
  const selected = (collectionProps.selectedItems ?? []).filter(({ version }) => rows.some((row) => row.version === version));
  const compare = () => {
    const [before, after] = selected.map(({ order, version }) => ({ order, version })).sort((one, other) => one.order - other.order);
    navigate(addressOf(place.region, { page: "function", name, tab: "versions", section: `${before!.version}...${after!.version}` }));
  };
  const latest = versions.find(({ Version }) => Version === LATEST);
  return (
    <SpaceBetween size="l">
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {aliasesProblem && !problem && (
        <Alert type="warning" header="Aliases cannot be read"><ProblemText problem={aliasesProblem} /></Alert>
      )}
      {provisioned.state === "failed" && (
        <Alert type="warning" header="Provisioned concurrency cannot be read"><ProblemText problem={provisioned.problem} /></Alert>
      )}
      {publishing && <PublishForm name={name} versions={versions} latest={latest} onClose={() => setPublishing(false)} onDone={onChanged} />}
      <Table<Row>
        {...collectionProps}
        selectedItems={selected}
        items={items}
        columnDefinitions={definitions}
        selectionType="multi"
        loading={loading && rows.length === 0}
        loadingText="Loading versions"
        empty={<Box>{problem ? "The versions could not be read." : "No versions"}</Box>}
        ariaLabels={{
          tableLabel: "Versions", selectionGroupLabel: "Versions to compare", allItemsSelectionLabel: () => "Select all versions on this page",
          itemSelectionLabel: (_, { version }) => `Select version ${version}`,
        }}
        header={
          <Header
            variant="h2" counter={rows.length > 0 ? `(${rows.length - 1})` : undefined}
            description="Each is the code and the configuration as they were when it was published."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" loading={loading} onClick={reload} />
                <Button disabled={selected.length !== 2} disabledReason="Select two versions." onClick={() => { actions.setSelectedItems([]); compare(); }}>
                  Compare
                </Button>
                <Button variant="primary" disabled={publishing || latest === undefined} onClick={() => setPublishing(true)}>Publish new version</Button>
              </SpaceBetween>
            }
          >
            Versions
          </Header>
        }
        pagination={rows.length > PAGE && <Pagination {...paginationProps} />}
      />
    </SpaceBetween>
  );
}
