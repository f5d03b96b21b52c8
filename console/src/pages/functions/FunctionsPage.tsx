/** The list of functions. */

import { useCollection } from "@cloudscape-design/collection-hooks";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CollectionPreferences from "@cloudscape-design/components/collection-preferences";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import PropertyFilter from "@cloudscape-design/components/property-filter";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useMemo, useState } from "react";
import { useConsole } from "../../app/context";
import { addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { ProblemAlert, ProblemText } from "../../components/ProblemAlert";
import { DeleteDialog } from "../function/DeleteDialog";
import { CONTENT, columns } from "./columns";
import { usePreferences } from "./preferences";
import { type Row, filteringOptions, filteringProperties } from "./rows";
import { useFunctions } from "./useFunctions";

export function FunctionsPage() {
  const place = useConsole();
  const { region } = place;
  const { rows, loading, problem, tagProblem, reload } = useFunctions(place);
  const [preferences, setPreferences] = usePreferences();
  const [deleting, setDeleting] = useState<readonly string[]>();
  const definitions = useMemo(() => columns(region), [region]);
  const properties = useMemo(() => filteringProperties(rows), [rows]);
  const options = useMemo(() => filteringOptions(rows), [rows]);
  const { items, collectionProps, propertyFilterProps, paginationProps, filteredItemsCount, actions } = useCollection(rows, {
    propertyFiltering: {
      filteringProperties: properties,
      empty: <Nothing region={region} />,
      noMatch: <NoMatch clear={() => actions.setPropertyFiltering({ tokens: [], operation: "and" })} />,
    },
    pagination: { pageSize: preferences.pageSize },
    sorting: { defaultState: { sortingColumn: definitions[0]! } },
    selection: { trackBy: "name", keepSelection: true },
  });
  const selected = collectionProps.selectedItems ?? [];
  const filtered = propertyFilterProps.query.tokens.length > 0;
  return (
    <SpaceBetween size="m">
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {tagProblem && <Alert type="warning" header="Tags cannot be read"><ProblemText problem={tagProblem} /></Alert>}
      <Table<Row>
        {...collectionProps}
        items={items}
        columnDefinitions={definitions}
        columnDisplay={preferences.contentDisplay}
        wrapLines={preferences.wrapLines}
        variant="full-page"
        stickyHeader
        resizableColumns
        selectionType="multi"
        loading={loading && rows.length === 0}
        loadingText="Loading functions"
        empty={problem ? <Box>The functions could not be read.</Box> : collectionProps.empty}
        ariaLabels={{
          tableLabel: "Functions",
          selectionGroupLabel: "Functions selection",
          allItemsSelectionLabel: () => "Select all functions on this page",
          itemSelectionLabel: (_, row) => `Select ${row.name}`,
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={counter(selected.length, rows.length, loading)}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" loading={loading} onClick={reload} />
                <Button disabled={selected.length === 0} onClick={() => setDeleting(selected.map(({ name }) => name))}>
                  Delete
                </Button>
                <Button variant="primary" href={addressOf(region, { page: "create" })} onFollow={follow}>
                  Create function
                </Button>
              </SpaceBetween>
            }
          >
            Functions
          </Header>
        }
        filter={
          <PropertyFilter
            {...propertyFilterProps}
            filteringOptions={options}
            filteringPlaceholder="Search by name, description, runtime or tag"
            filteringAriaLabel="Search functions"
            countText={filtered ? matches(filteredItemsCount ?? 0) : ""}
            customGroupsText={[{ properties: "Tags", values: "Values of tags", group: "tags" }]}
            expandToViewport
          />
        }
        pagination={<Pagination {...paginationProps} />}
        preferences={
          <CollectionPreferences
            title="Preferences"
            confirmLabel="Confirm"
            cancelLabel="Cancel"
            preferences={preferences}
            onConfirm={({ detail }) => setPreferences(detail)}
            pageSizePreference={{ title: "Functions on a page", options: [20, 50, 100, 200].map((value) => ({ value, label: `${value}` })) }}
            wrapLinesPreference={{ label: "Wrap lines", description: "Show everything of long texts." }}
            contentDisplayPreference={CONTENT}
          />
        }
      />
      {deleting && (
        <DeleteDialog
          names={deleting}
          onClose={(changed) => {
            setDeleting(undefined);
            if (!changed) return;
            actions.setSelectedItems([]);
            reload();
          }}
        />
      )}
    </SpaceBetween>
  );
}

function counter(selected: number, all: number, loading: boolean): string {
  return `(${selected > 0 ? `${selected}/` : ""}${all}${loading && all > 0 ? "+" : ""})`;
}

function matches(count: number): string {
  return count === 1 ? "1 match" : `${count} matches`;
}

function Nothing({ region }: { region: string }) {
  return (
    <Box textAlign="center" color="inherit">
      <SpaceBetween size="m">
        <span><b>No functions</b><Box variant="p" color="inherit">There is no function in this account and region yet.</Box></span>
        <Button href={addressOf(region, { page: "create" })} onFollow={follow}>Create function</Button>
      </SpaceBetween>
    </Box>
  );
}

function NoMatch({ clear }: { clear: () => void }) {
  return (
    <Box textAlign="center" color="inherit">
      <SpaceBetween size="m">
        <b>No function is like that</b>
        <Button onClick={clear}>Clear the search</Button>
      </SpaceBetween>
    </Box>
  );
}
