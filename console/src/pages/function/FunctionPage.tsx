/** One function: what it is, and its tabs. */

import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Tabs from "@cloudscape-design/components/tabs";
import { useState } from "react";
import { type FunctionConfiguration, qualifierOf } from "../../api/functions";
import { useConsole } from "../../app/context";
import { type FunctionPlace, type Section, type Tab, addressOf } from "../../app/places";
import { navigate } from "../../app/router";
import { TAB_TITLES } from "../../app/titles";
import { Copied } from "../../components/Copied";
import { lazily } from "../../components/lazily";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { moment, size } from "../../components/format";
import { CodeTab } from "../code/CodeTab";
import { TestTab } from "../test/TestTab";
import { DeleteDialog } from "./DeleteDialog";
import { FunctionHeader } from "./FunctionHeader";
import { FunctionState } from "./FunctionState";
import { useFunction } from "./useFunction";
import { useQualifiers } from "./useQualifiers";

const MonitorTab = lazily("the monitor", () => import("../monitor/MonitorTab"));
const FunctionLayers = lazily("the layers", () => import("../layers/FunctionLayers"));
const VersionsTab = lazily("the versions", () => import("../versions/VersionsTab"));
const AliasesTab = lazily("the aliases", () => import("../aliases/AliasesTab"));
const ConfigurationTab = lazily("the configuration", () => import("../configuration/ConfigurationTab"));

export function FunctionPage({ name, qualifier, tab, section }: FunctionPlace) {
  const place = useConsole();
  const { found, problem, reload } = useFunction(place, name, qualifier);
  const [choosing, setChoosing] = useState(false);
  const qualifiers = useQualifiers(place, name, choosing || tab === "versions" || tab === "aliases");
  const [deleting, setDeleting] = useState(false);
  const changed = () => { reload(); qualifiers.reload(); };
  const at = (tab: Tab): FunctionPlace => ({ page: "function", name, qualifier, tab });
  const header = (
    <FunctionHeader
      at={at(tab)} qualifiers={qualifiers} onOpen={() => setChoosing(true)}
      onDelete={found && qualifier === undefined ? () => setDeleting(true) : undefined}
    />
  );
  return (
    <ContentLayout header={header}>
      <SpaceBetween size="l">
        {problem && <ProblemAlert problem={problem} retry={reload} />}
        {!found && !problem && <Box textAlign="center"><Spinner size="large" /> <Box variant="span">Loading the function</Box></Box>}
        {found && (
          <>
            <Overview found={found} />
            <Tabs
              activeTabId={tab}
              ariaLabel="Function"
              onChange={({ detail }) => navigate(addressOf(place.region, at(detail.activeTabId as Tab)))}
              tabs={[
                { id: "code", label: TAB_TITLES.code, content: tab === "code" && (
                  <SpaceBetween size="l">
                    <CodeTab found={found} onDeployed={reload} />
                    <FunctionLayers found={found} onChanged={reload} />
                  </SpaceBetween>
                ) },
                { id: "test", label: TAB_TITLES.test, content: tab === "test" && <TestTab found={found} /> },
                { id: "monitor", label: TAB_TITLES.monitor, content: tab === "monitor" && <MonitorTab section={section as Section<"monitor">} found={found} /> },
                { id: "configuration", label: TAB_TITLES.configuration, content: tab === "configuration" && (
                  <ConfigurationTab section={section as Section<"configuration">} found={found} reload={reload} />
                ) },
                { id: "aliases", label: TAB_TITLES.aliases, content: tab === "aliases" && (
                  <AliasesTab name={name} alias={section} qualifiers={qualifiers} onChanged={changed} />
                ) },
                { id: "versions", label: TAB_TITLES.versions, content: tab === "versions" && (
                  <VersionsTab name={name} compared={section} qualifiers={qualifiers} onChanged={changed} />
                ) },
              ]}
            />
          </>
        )}
      </SpaceBetween>
      {deleting && (
        <DeleteDialog
          names={[name]}
          onClose={(deleted) => {
            setDeleting(false);
            if (deleted) navigate(addressOf(place.region, { page: "functions" }));
          }}
        />
      )}
    </ContentLayout>
  );
}

function Overview({ found }: { found: FunctionConfiguration }) {
  const arn = found.FunctionArn ?? "";
  const updating = found.LastUpdateStatus === "InProgress" ? "Pending" : found.LastUpdateStatus === "Failed" ? "Failed" : undefined;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "State", value: (
            <FunctionState state={updating ?? found.State ?? ""} reason={found.StateReason ?? found.LastUpdateStatusReason} />
          ) },
          { label: "Runtime", value: found.Runtime ?? "-" },
          { label: "Handler", value: found.Handler ?? "-" },
          ...(qualifierOf(found) === undefined ? [] : [{ label: "Version", value: found.Version }]),
          { label: "Last modified", value: <Time at={moment(found.LastModified ?? "")} /> },
          { label: "Description", value: found.Description || "-" },
          { label: "Memory and timeout", value: `${found.MemorySize} MB, ${found.Timeout} s` },
          { label: "Code size", value: size(found.CodeSize ?? 0) },
          { label: "Function ARN", value: <Copied text={arn} what="the ARN" /> },
        ]}
      />
    </Container>
  );
}
