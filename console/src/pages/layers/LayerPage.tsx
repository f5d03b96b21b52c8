/** One layer: a version of it, who may use that, who does, and all its versions. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useCallback } from "react";
import { type LayerVersionsListItem, deleteLayerVersion, downloadLayer, listLayerVersions } from "../../api/layers";
import { useConsole } from "../../app/context";
import { addressOf } from "../../app/places";
import { follow, navigate } from "../../app/router";
import { ConfirmButton } from "../../components/ConfirmButton";
import { ListTable } from "../../components/ListTable";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { moment } from "../../components/format";
import { saveAs } from "../../components/save";
import { useAction } from "../../components/useAction";
import { useLoad } from "../../components/useLoad";
import { Grants } from "./Grants";
import { LayerUsers } from "./LayerUsers";
import { VersionDetails } from "./VersionDetails";

/** `version`: the latest one, if none is asked for. */
export function LayerPage({ name, version }: { name: string; version?: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listLayerVersions(place, name), [place, name]));
  const { busy, problem, run } = useAction();
  const at = (shown?: number) => addressOf(place.region, { page: "layer", name, version: shown === undefined ? undefined : String(shown) });
  const list = addressOf(place.region, { page: "layers" });
  if (loaded.state === "loading") return <Box><Spinner /> Loading the layer</Box>;
  if (loaded.state === "failed") return <ProblemAlert problem={loaded.problem} retry={reload} />;
  const versions = loaded.value;
  const found = version === undefined ? versions[0] : versions.find((each) => String(each.Version) === version);
  if (found === undefined) {
    const message = version === undefined ? `There is no layer ${name}.` : `The layer ${name} has no version ${version}.`;
    return <ProblemAlert problem={{ kind: "refused", message }} label="All layers" retry={() => navigate(list)} />;
  }
  const { Version: number = 0, LayerVersionArn: arn = "" } = found;
  const header = (
    <Header
      variant="h1"
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <ConfirmButton
            header={`Delete version ${number} of ${name}`}
            question="Functions that attach it keep it; it cannot be attached any more, and its number is not used again."
            run={() => deleteLayerVersion(place, name, number)} done={`Version ${number} of ${name} is deleted.`}
            after={() => { navigate(versions.length === 1 ? list : at()); reload(); }}
          >
            Delete
          </ConfirmButton>
          <Button iconName="download" loading={busy} onClick={() => void run(async () => saveAs(`${name}-${number}.zip`, await downloadLayer(place, name, number)))}>
            Download
          </Button>
          <Button variant="primary" href={addressOf(place.region, { page: "create-layer", name })} onFollow={follow}>Create version</Button>
        </SpaceBetween>
      }
    >
      {name}
    </Header>
  );
  return (
    <ContentLayout header={header}>
      <SpaceBetween size="l">
        {problem && <ProblemAlert problem={problem} />}
        <VersionDetails key={`details ${number}`} name={name} found={found} />
        <Grants key={`grants ${number}`} name={name} version={number} />
        <LayerUsers key={`users ${number}`} arn={arn} />
        <Versions versions={versions} shown={number} reload={reload} addressOf={at} />
      </SpaceBetween>
    </ContentLayout>
  );
}

function Versions({ versions, shown, reload, addressOf }: {
  versions: LayerVersionsListItem[]; shown: number; reload: () => void; addressOf: (version: number) => string;
}) {
  return (
    <ListTable<LayerVersionsListItem>
      title="All versions" variant="h2" loaded={{ state: "ready", value: versions }} reload={reload} searchable={false} empty="No versions"
      trackBy={({ LayerVersionArn = "" }) => LayerVersionArn}
      columns={[
        { id: "version", header: "Version", value: ({ Version = 0 }) => Version, cell: ({ Version = 0 }) => (
          Version === shown ? <>{Version} (shown above)</> : <Link href={addressOf(Version)} onFollow={follow}>{Version}</Link>
        ) },
        { id: "description", header: "Description", cell: ({ Description }) => Description || "-" },
        { id: "runtimes", header: "Compatible runtimes", cell: ({ CompatibleRuntimes = [] }) => CompatibleRuntimes.join(", ") || "-" },
        { id: "created", header: "Created", cell: ({ CreatedDate = "" }) => <Time at={moment(CreatedDate)} /> },
      ]}
    />
  );
}
