/** What a function did: figures, log, invocations. */

import Tabs from "@cloudscape-design/components/tabs";
import type { ComponentType } from "react";
import { qualifierOf } from "../../api/functions";
import { useConsole } from "../../app/context";
import { type Section, TABS, addressOf } from "../../app/places";
import { navigate } from "../../app/router";
import "./logs/logs.css";
import { Environments } from "./Environments";
import { Invocations } from "./invocations/Invocations";
import { Logs } from "./logs/Logs";
import { Metrics } from "./metrics/Metrics";
import type { SectionProps } from "./section";

type Id = Section<"monitor">;

const SECTIONS: Record<Id, { readonly title: string; readonly content: ComponentType<SectionProps> }> = {
  metrics: { title: "Metrics", content: Metrics },
  logs: { title: "Logs", content: Logs },
  invocations: { title: "Invocations", content: Invocations },
  environments: { title: "Environments", content: Environments },
};

export default function MonitorTab({ section, found }: SectionProps & { section: Id }) {
  const { region } = useConsole();
  const at = (id: Id) => addressOf(region, { page: "function", name: found.FunctionName ?? "", qualifier: qualifierOf(found), tab: "monitor", section: id });
  return (
    <Tabs
      ariaLabel="Monitor"
      activeTabId={section}
      onChange={({ detail }) => navigate(at(detail.activeTabId as Id))}
      tabs={TABS.monitor.map((id) => {
        const { title, content: Content } = SECTIONS[id];
        return { id, label: title, href: at(id), content: id === section && <Content found={found} /> };
      })}
    />
  );
}
