/** What a layer's version is. */

import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useCallback } from "react";
import { type LayerVersionsListItem, getLayerVersion } from "../../api/layers";
import { useConsole } from "../../app/context";
import { Copied } from "../../components/Copied";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { moment, size } from "../../components/format";
import { useLoad } from "../../components/useLoad";

export function VersionDetails({ name, found }: { name: string; found: LayerVersionsListItem }) {
  const place = useConsole();
  const { Version = 0, LayerVersionArn = "", Description, CompatibleRuntimes = [], CompatibleArchitectures = [] } = found;
  const { loaded, reload } = useLoad(useCallback(() => getLayerVersion(place, name, Version), [place, name, Version]));
  const content = loaded.state === "ready" ? loaded.value.Content : undefined;
  return (
    <Container header={<Header variant="h2">Version details</Header>}>
      {loaded.state === "failed" && <ProblemAlert problem={loaded.problem} retry={reload} />}
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Version", value: Version },
          { label: "Description", value: Description || "-" },
          { label: "Created", value: <Time at={moment(found.CreatedDate ?? "")} /> },
          { label: "License", value: found.LicenseInfo || "-" },
          { label: "Compatible runtimes", value: CompatibleRuntimes.join(", ") || "-" },
          { label: "Compatible architectures", value: CompatibleArchitectures.join(", ") || "-" },
          { label: "Size", value: content?.CodeSize === undefined ? "-" : size(content.CodeSize) },
          { label: "SHA-256", value: content?.CodeSha256 ?? "-" },
          { label: "Version ARN", value: <Copied text={LayerVersionArn} what="the ARN" /> },
        ]}
      />
    </Container>
  );
}
