/** What the account may use in this region, and does. */

import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import { type AccountSettings, accountSettings } from "../../../api/limits";
import { useConsole } from "../../../app/context";
import { Shown } from "../../../components/Shown";
import { size } from "../../../components/format";
import { useLoad } from "../../../components/useLoad";
import { Pool } from "./Pool";

export default function Overview() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => accountSettings(place), [place]));
  return (
    <ContentLayout header={<Header variant="h1" description={`Account ${place.session.account} in ${place.region}.`}>Overview</Header>}>
      <SpaceBetween size="l">
        <Shown loaded={loaded} reload={reload} what="the limits">{(settings) => <Usage settings={settings} />}</Shown>
        <Pool />
      </SpaceBetween>
    </ContentLayout>
  );
}

function Usage({ settings: { limit, usage } }: { settings: AccountSettings }) {
  const used = usage.TotalCodeSize ?? 0, most = limit.TotalCodeSize ?? 0;
  return (
    <Container header={<Header variant="h2">Limits and usage</Header>}>
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={4}
          items={[
            { label: "Functions", value: String(usage.FunctionCount ?? 0) },
            { label: "Concurrent executions", value: `at most ${limit.ConcurrentExecutions}` },
            { label: "Unreserved concurrency", value: String(limit.UnreservedConcurrentExecutions) },
            { label: "Largest package", value: `${size(limit.CodeSizeZipped ?? 0)} zipped, ${size(limit.CodeSizeUnzipped ?? 0)} unzipped` },
          ]}
        />
        <ProgressBar
          label="Code storage" value={most === 0 ? 0 : (100 * used) / most} additionalInfo={`${size(used)} of ${size(most)}`}
        />
      </SpaceBetween>
    </Container>
  );
}
