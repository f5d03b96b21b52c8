/** All aliases, and making another one. */

import { useCollection } from "@cloudscape-design/collection-hooks";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useState } from "react";
import { type AliasConfiguration, createAlias } from "../../api/aliases";
import { useConsole } from "../../app/context";
import { LATEST, addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { EditForm } from "../../components/EditForm";
import { ProblemAlert, ProblemText } from "../../components/ProblemAlert";
import type { Qualifiers } from "../function/useQualifiers";
import { sharesOf } from "../versions/rows";
import { AliasFields } from "./AliasFields";
import { DeleteAlias } from "./DeleteAlias";
import { type Draft, problemsOf, targetOf } from "./draft";
import { sharesText } from "./text";

const PAGE = 20;

export function AliasList({ name, qualifiers, onChanged }: { name: string; qualifiers: Qualifiers; onChanged: () => void }) {
  const place = useConsole();
  const { versions = [], aliases = [], loading, aliasesProblem: problem, versionsProblem, reload } = qualifiers;
  const [creating, setCreating] = useState<Draft>();
  const definitions: TableProps.ColumnDefinition<AliasConfiguration>[] = [
    { id: "name", header: "Name", isRowHeader: true, sortingField: "Name", cell: ({ Name = "" }) => (
      <Link href={addressOf(place.region, { page: "function", name, tab: "aliases", section: Name })} onFollow={follow}>{Name}</Link>
    ) },
    { id: "versions", header: "Versions", cell: (alias) => sharesText(sharesOf(alias)) },
    { id: "description", header: "Description", sortingField: "Description", cell: ({ Description }) => Description || "-" },
    { id: "actions", header: "Actions", cell: ({ Name = "" }) => <DeleteAlias name={name} alias={Name} after={onChanged} /> },
  ];
  const { items, collectionProps, paginationProps } = useCollection(aliases, {
    pagination: { pageSize: PAGE }, sorting: { defaultState: { sortingColumn: definitions[0]! } },
  });
  const create = () => setCreating({ name: "", description: "", version: versions.at(-1)?.Version ?? LATEST, additional: "", percent: "0" });
  return (
    <SpaceBetween size="l">
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {versionsProblem && !problem && (
        <Alert type="warning" header="Versions cannot be read"><ProblemText problem={versionsProblem} /></Alert>
      )}
      {creating && (
        <EditForm<Draft>
          title="Create alias" action="Create" done={() => "The alias is created."} start={creating} check={problemsOf}
          save={(draft) => createAlias(place, name, draft.name, targetOf(draft))} saved={onChanged} onClose={() => setCreating(undefined)}
          form={(editing) => <AliasFields editing={editing} versions={versions} named />}
        />
      )}
      <Table<AliasConfiguration>
        {...collectionProps}
        items={items}
        columnDefinitions={definitions}
        trackBy="Name"
        loading={loading && aliases.length === 0}
        loadingText="Loading aliases"
        empty={<Box>{problem ? "The aliases could not be read." : "No aliases"}</Box>}
        ariaLabels={{ tableLabel: "Aliases" }}
        header={
          <Header
            variant="h2" counter={aliases.length > 0 ? `(${aliases.length})` : undefined}
            description="Names that callers use, each for a version, or for two that share the invocations."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" loading={loading} onClick={reload} />
                <Button variant="primary" disabled={creating !== undefined || qualifiers.aliases === undefined} onClick={create}>Create alias</Button>
              </SpaceBetween>
            }
          >
            Aliases
          </Header>
        }
        pagination={aliases.length > PAGE && <Pagination {...paginationProps} />}
      />
    </SpaceBetween>
  );
}
