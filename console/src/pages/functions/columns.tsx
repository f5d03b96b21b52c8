/** The columns of the list. */

import Badge from "@cloudscape-design/components/badge";
import type { CollectionPreferencesProps } from "@cloudscape-design/components/collection-preferences";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import { addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { Time } from "../../components/Time";
import { size } from "../../components/format";
import type { Row } from "./rows";

export function columns(region: string): TableProps.ColumnDefinition<Row>[] {
  return [
    {
      id: "name", header: "Function name", sortingField: "name", isRowHeader: true, width: 240,
      cell: ({ name }) => <Link href={addressOf(region, { page: "function", name, tab: "code" })} onFollow={follow}>{name}</Link>,
    },
    { id: "description", header: "Description", sortingField: "description", width: 320, cell: ({ description }) => description || "-" },
    { id: "packageType", header: "Package type", sortingField: "packageType", cell: ({ packageType }) => packageType },
    { id: "runtime", header: "Runtime", sortingField: "runtime", cell: ({ runtime }) => runtime || "-" },
    {
      id: "modified", header: "Last modified", sortingComparator: (one, other) => one.modified.getTime() - other.modified.getTime(),
      cell: ({ modified }) => <Time at={modified} />,
    },
    { id: "memory", header: "Memory", sortingField: "memory", cell: ({ memory }) => `${memory} MB` },
    { id: "timeout", header: "Timeout", sortingField: "timeout", cell: ({ timeout }) => `${timeout} s` },
    { id: "codeSize", header: "Code size", sortingField: "codeSize", cell: ({ codeSize }) => size(codeSize) },
    { id: "tags", header: "Tags", minWidth: 180, cell: ({ tags }) => <TagList tags={tags} /> },
  ];
}

function TagList({ tags }: Pick<Row, "tags">) {
  const pairs = Object.entries(tags);
  if (pairs.length === 0) return <>-</>;
  return (
    <SpaceBetween direction="horizontal" size="xxs">
      {pairs.map(([key, value]) => <Badge key={key}>{value === "" ? key : `${key}: ${value}`}</Badge>)}
    </SpaceBetween>
  );
}

export const SHOWN_FIRST = ["name", "description", "packageType", "runtime", "modified", "tags"];

export const CONTENT: CollectionPreferencesProps.ContentDisplayPreference = {
  title: "Columns",
  description: "Choose what is shown, and in which order.",
  options: [
    { id: "name", label: "Function name", alwaysVisible: true },
    { id: "description", label: "Description" },
    { id: "packageType", label: "Package type" },
    { id: "runtime", label: "Runtime" },
    { id: "modified", label: "Last modified" },
    { id: "memory", label: "Memory" },
    { id: "timeout", label: "Timeout" },
    { id: "codeSize", label: "Code size" },
    { id: "tags", label: "Tags" },
  ],
};
