/** The layers that a function attaches: shown below its code, added, taken out, and put into another order. */

import Box from "@cloudscape-design/components/box";
import Link from "@cloudscape-design/components/link";
import Table from "@cloudscape-design/components/table";
import { updateConfiguration } from "../../api/configuration";
import type { FunctionConfiguration } from "../../api/functions";
import { useConsole } from "../../app/context";
import { addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { Settings } from "../../components/Settings";
import { size } from "../../components/format";
import { closedNow } from "../configuration/section";
import { LayersForm } from "./LayersForm";
import { parsed } from "./arns";

export interface LayersDraft {
  readonly arns: readonly string[];
}

type Attached = NonNullable<FunctionConfiguration["Layers"]>[number];

export default function FunctionLayers({ found, onChanged }: { found: FunctionConfiguration; onChanged: () => void }) {
  const place = useConsole();
  const layers = found.Layers ?? [];
  const closed = found.PackageType === "Image" ? "Container images have no layers." : closedNow(found);
  const name = ({ Arn = "" }: Attached) => {
    const about = parsed(Arn);
    if (about === undefined || about.account !== place.session.account) return about?.name ?? Arn;
    return <Link href={addressOf(place.region, { page: "layer", name: about.name, version: String(about.version) })} onFollow={follow}>{about.name}</Link>;
  };
  return (
    <Settings<LayersDraft>
      title="Layers" description="They are merged into /opt in this order: later ones win." closed={closed} saved={onChanged}
      start={() => ({ arns: layers.map(({ Arn = "" }) => Arn) })}
      save={({ arns }) => updateConfiguration(place, found, { Layers: [...arns] })}
      form={(editing) => <LayersForm found={found} editing={editing} />}
    >
      <Table<Attached>
        variant="embedded" ariaLabels={{ tableLabel: "Layers" }} items={layers} trackBy="Arn" wrapLines empty={<Box>No layers</Box>}
        columnDefinitions={[
          { id: "order", header: "Merge order", cell: (layer) => layers.indexOf(layer) + 1 },
          { id: "name", header: "Name", isRowHeader: true, cell: name },
          { id: "version", header: "Version", cell: ({ Arn = "" }) => parsed(Arn)?.version ?? "-" },
          { id: "size", header: "Size", cell: ({ CodeSize = 0 }) => size(CodeSize) },
          { id: "arn", header: "Version ARN", cell: ({ Arn }) => Arn },
        ]}
      />
    </Settings>
  );
}
