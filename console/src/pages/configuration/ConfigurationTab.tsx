/** A function's settings, in AWS's groups. */

import SideNavigation from "@cloudscape-design/components/side-navigation";
import type { ComponentType } from "react";
import { useConsole } from "../../app/context";
import { type Section, TABS, addressOf } from "../../app/places";
import { qualifierOf } from "../../api/functions";
import { follow } from "../../app/router";
import { lazily } from "../../components/lazily";
import { General } from "./General";
import type { SectionProps } from "./section";

type Id = Section<"configuration">;

const SECTIONS: Record<Id, { readonly title: string; readonly content: ComponentType<SectionProps> }> = {
  general: { title: "General configuration", content: General },
  runtime: { title: "Runtime settings", content: lazily("the runtime settings", () => import("./Runtime")) },
  permissions: { title: "Permissions", content: lazily("the permissions", () => import("./permissions/Permissions")) },
  destinations: { title: "Destinations", content: lazily("the destinations", () => import("./events/Destinations")) },
  url: { title: "Function URL", content: lazily("function URLs", () => import("./url/FunctionUrls")) },
  environment: { title: "Environment variables", content: lazily("the environment variables", () => import("./environment/Environment")) },
  tags: { title: "Tags", content: lazily("the tags", () => import("./tags/Tags")) },
  vpc: { title: "VPC", content: lazily("the network", () => import("./vpc/Networks")) },
  monitoring: { title: "Monitoring and operations tools", content: lazily("the tools", () => import("./Monitoring")) },
  concurrency: { title: "Concurrency and recursion detection", content: lazily("the concurrency", () => import("./concurrency/Concurrency")) },
  asynchronous: { title: "Asynchronous invocation", content: lazily("the asynchronous invocation", () => import("./events/Asynchronous")) },
  "code-signing": { title: "Code signing", content: lazily("code signing", () => import("./signing/CodeSigning")) },
  "file-systems": { title: "File systems", content: lazily("file systems", () => import("./filesystems/FileSystems")) },
};

export default function ConfigurationTab({ section, ...props }: SectionProps & { section: Id }) {
  const { region } = useConsole();
  const at = (id: Id) => addressOf(region, { page: "function", name: props.found.FunctionName ?? "", qualifier: qualifierOf(props.found), tab: "configuration", section: id });
  const { content: Content } = SECTIONS[section];
  return (
    <div className="sections">
      <SideNavigation
        activeHref={at(section)}
        items={TABS.configuration.map((id) => ({ type: "link" as const, text: SECTIONS[id].title, href: at(id) }))}
        onFollow={follow}
      />
      <Content key={section} {...props} />
    </div>
  );
}
