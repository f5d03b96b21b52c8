/** The functions of the region that attach a layer's version. */

import Link from "@cloudscape-design/components/link";
import { useCallback } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import { layerUsers } from "../../api/layers";
import { useConsole } from "../../app/context";
import { LATEST, addressOf } from "../../app/places";
import { follow } from "../../app/router";
import { ListTable } from "../../components/ListTable";
import { useGrowing } from "../../components/useGrowing";

export function LayerUsers({ arn }: { arn: string }) {
  const place = useConsole();
  const { loaded, looked, reload } = useGrowing(useCallback(() => layerUsers(place, arn), [place, arn]));
  const at = ({ FunctionName: name = "", Version }: FunctionConfiguration) =>
    addressOf(place.region, { page: "function", name, qualifier: Version === LATEST ? undefined : Version, tab: "code" });
  return (
    <ListTable<FunctionConfiguration>
      title="Functions using this version" variant="h2" loaded={loaded} reload={reload} searchable={false} empty="No function attaches it."
      description={looked !== undefined && `${looked} functions and versions are looked at so far.`}
      trackBy={({ FunctionArn = "" }) => FunctionArn}
      columns={[
        { id: "name", header: "Function", value: ({ FunctionName = "" }) => FunctionName, cell: (found) => (
          <Link href={at(found)} onFollow={follow}>{found.FunctionName}</Link>
        ) },
        { id: "version", header: "Version of the function", cell: ({ Version }) => Version },
        { id: "runtime", header: "Runtime", cell: ({ Runtime }) => Runtime ?? "-" },
        { id: "order", header: "Merge order", cell: ({ Layers = [] }) => `${Layers.findIndex(({ Arn }) => Arn === arn) + 1} of ${Layers.length}` },
      ]}
    />
  );
}
