/** All layers of the region. */

import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import { useCallback } from "react";
import { type LayersListItem, listLayers } from "../../api/layers";
import { useConsole } from "../../app/context";
import { addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { type Column, ListTable } from "../../components/ListTable";
import { Time } from "../../components/Time";
import { moment } from "../../components/format";
import { useLoad } from "../../components/useLoad";

export function LayerList() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listLayers(place), [place]));
  const columns: Column<LayersListItem>[] = [
    { id: "name", header: "Name", value: ({ LayerName = "" }) => LayerName, cell: ({ LayerName = "" }) => (
      <Link href={addressOf(place.region, { page: "layer", name: LayerName })} onFollow={follow}>{LayerName}</Link>
    ) },
    { id: "version", header: "Latest version", value: latest("Version", 0), cell: latest("Version", 0) },
    { id: "description", header: "Description", value: latest("Description", ""), cell: (layer) => latest("Description", "")(layer) || "-" },
    { id: "runtimes", header: "Compatible runtimes", value: (layer) => runtimes(layer), cell: (layer) => runtimes(layer) || "-" },
    { id: "architectures", header: "Compatible architectures", cell: ({ LatestMatchingVersion: found }) => found?.CompatibleArchitectures?.join(", ") || "-" },
    { id: "created", header: "Created", value: latest("CreatedDate", ""), cell: (layer) => <Time at={moment(latest("CreatedDate", "")(layer))} /> },
  ];
  return (
    <ListTable<LayersListItem>
      title="Layers" description="Libraries and other files that functions share, each with versions." loaded={loaded} reload={reload} columns={columns}
      trackBy={({ LayerArn = "" }) => LayerArn} empty="There is no layer in this account and region yet."
      actions={<Button variant="primary" href={addressOf(place.region, { page: "create-layer" })} onFollow={follow}>Create layer</Button>}
    />
  );
}

function latest<Value extends string | number>(field: "Version" | "Description" | "CreatedDate", otherwise: Value) {
  return ({ LatestMatchingVersion: found }: LayersListItem) => (found?.[field] as Value | undefined) ?? otherwise;
}

function runtimes({ LatestMatchingVersion: found }: LayersListItem): string {
  return found?.CompatibleRuntimes?.join(", ") ?? "";
}
