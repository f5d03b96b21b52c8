/** A list that is searched, sorted, and turned over page by page. */

import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header, { type HeaderProps } from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { type ReactNode, useRef } from "react";
import { ProblemAlert } from "./ProblemAlert";
import type { Loaded } from "./useLoad";

export interface Column<T> {
  readonly id: string;
  readonly header: string;
  readonly cell: (item: T) => ReactNode;
  /** What it is sorted by, and what words are looked for in. */
  readonly value?: (item: T) => string | number;
}

const ON_A_PAGE = 25;

export function ListTable<T>({ title, variant = "h1", description, loaded, reload, columns, trackBy, empty, searchable = true, wrapLines = true, actions }: {
  /** In the plural: "Users". */
  title: string;
  variant?: HeaderProps.Variant;
  description?: ReactNode;
  loaded: Loaded<readonly T[]>;
  reload: () => void;
  /** The first one names the row. */
  columns: readonly Column<T>[];
  trackBy: (item: T) => string;
  empty: string;
  searchable?: boolean;
  wrapLines?: boolean;
  actions?: ReactNode;
}) {
  const kept = useRef<readonly T[]>([]);
  if (loaded.state !== "loading") kept.current = loaded.state === "ready" ? loaded.value : [];
  const lower = withinSentence(title);
  const { items, collectionProps, filterProps, paginationProps, filteredItemsCount } = useCollection(kept.current, {
    filtering: {
      empty: <Box color="inherit">{loaded.state === "failed" ? "They could not be read." : empty}</Box>,
      noMatch: <Box color="inherit">Nothing is like that.</Box>,
      filteringFunction: (item, text) => searched(columns, item).includes(text.toLowerCase()),
    },
    pagination: { pageSize: ON_A_PAGE },
    sorting: {},
  });
  return (
    <SpaceBetween size="m">
      {loaded.state === "failed" && <ProblemAlert problem={loaded.problem} retry={reload} />}
      <Table<T>
        {...collectionProps}
        items={items}
        trackBy={trackBy}
        columnDefinitions={columns.map((column, place) => definition(column, place === 0))}
        loading={loaded.state === "loading" && kept.current.length === 0}
        loadingText={`Loading ${lower}`}
        ariaLabels={{ tableLabel: title }}
        wrapLines={wrapLines}
        header={
          <Header
            variant={variant}
            description={description}
            counter={loaded.state === "failed" ? undefined : `(${kept.current.length})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel={`Refresh ${lower}`} loading={loaded.state === "loading"} onClick={reload} />
                {actions}
              </SpaceBetween>
            }
          >
            {title}
          </Header>
        }
        filter={searchable && (
          <TextFilter
            {...filterProps}
            filteringPlaceholder={`Search ${lower}`}
            filteringAriaLabel={`Search ${lower}`}
            countText={filteredItemsCount === 1 ? "1 match" : `${filteredItemsCount} matches`}
          />
        )}
        pagination={paginationProps.pagesCount > 1 ? <Pagination {...paginationProps} /> : undefined}
      />
    </SpaceBetween>
  );
}

/** "Users" is "users"; "KMS keys" stays. */
function withinSentence(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? title[0]!.toLowerCase() + title.slice(1) : title;
}

function searched<T>(columns: readonly Column<T>[], item: T): string {
  return columns.map(({ value }) => value?.(item) ?? "").join("\n").toLowerCase();
}

function definition<T>({ id, header, cell, value }: Column<T>, first: boolean): TableProps.ColumnDefinition<T> {
  // The field tells the table which column is sorted by: definitions are made anew with every rendering.
  const sorting = value && { sortingField: id, sortingComparator: (one: T, other: T) => compare(value(one), value(other)) };
  return { id, header, cell, isRowHeader: first, ...sorting };
}

function compare(one: string | number, other: string | number): number {
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}
