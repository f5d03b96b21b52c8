/** The columns of the list of versions. */

import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import type { Place } from "../../api/clients";
import { deleteVersion } from "../../api/versions";
import { LATEST, addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Time } from "../../components/Time";
import { size } from "../../components/format";
import { percentText } from "../aliases/text";
import type { Row } from "./rows";

/** The same function each time: the table knows by it what it is sorted by. */
const byTime = (one: Row, other: Row) => one.modified.getTime() - other.modified.getTime();

export function columns(place: Place, name: string, onChanged: () => void): TableProps.ColumnDefinition<Row>[] {
  const at = (qualifier: string) => addressOf(place.region, { page: "function", name, qualifier: qualifier === LATEST ? undefined : qualifier, tab: "code" });
  return [
    {
      id: "version", header: "Version", isRowHeader: true, sortingField: "order",
      cell: ({ version }) => <Link href={at(version)} onFollow={follow}>{version}</Link>,
    },
    { id: "description", header: "Description", sortingField: "description", cell: ({ description }) => description || "-" },
    { id: "aliases", header: "Aliases", cell: (row) => <Aliases row={row} addressOf={at} /> },
    {
      id: "modified", header: "Last modified", sortingComparator: byTime,
      cell: ({ modified }) => <Time at={modified} />,
    },
    { id: "codeSize", header: "Code size", sortingField: "codeSize", cell: ({ codeSize }) => size(codeSize) },
    { id: "provisioned", header: "Provisioned concurrency", cell: provisionedText },
    { id: "actions", header: "Actions", cell: ({ version }) => version === LATEST ? "" : (
      <ConfirmButton
        name={`Delete version ${version}`} header={`Delete version ${version}`}
        question={`Version ${version} of ${name} is deleted, with what is provisioned of it. Its number is not used again.`}
        run={() => deleteVersion(place, name, version)} done={`Version ${version} is deleted.`} after={onChanged}
      >
        Delete
      </ConfirmButton>
    ) },
  ];
}

function Aliases({ row, addressOf }: { row: Row; addressOf: (qualifier: string) => string }) {
  if (row.aliases.length === 0) return <>-</>;
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {row.aliases.map(({ alias, share }) => (
        <span key={alias}>
          <Link href={addressOf(alias)} onFollow={follow}>{alias}</Link>{share < 1 && ` (${percentText(share)})`}
        </span>
      ))}
    </SpaceBetween>
  );
}

function provisionedText({ provisioned }: Row): string {
  if (provisioned === undefined) return "-";
  const { AvailableProvisionedConcurrentExecutions: ready = 0, RequestedProvisionedConcurrentExecutions: wanted = 0 } = provisioned;
  return `${ready} of ${wanted} ready`;
}
