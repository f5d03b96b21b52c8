/** Where a page is among the others. */

import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import { type AccountPlace, type AccountSection, type FunctionPlace, type LayersPlace, type Location, addressOf } from "./places";
import { follow } from "./router";
import { ACCOUNT_TITLES, titleOf } from "./titles";

interface Step {
  readonly text: string;
  readonly href: string;
}

/** Where the last step leads is where one is. */
const HERE = "#";

export function Breadcrumbs({ location, region }: { location: Location; region: string }) {
  return <BreadcrumbGroup items={trail(location, region)} onFollow={follow} ariaLabel="Where this is" />;
}

function trail(location: Location, region: string): Step[] {
  switch (location.page) {
    case "account":
      return accountTrail(location, region);
    case "layers":
    case "create-layer":
    case "layer":
      return layersTrail(location, region);
    default: {
      const functions = { text: "Functions", href: addressOf(region, { page: "functions" }) };
      if (location.page === "functions") return [functions];
      return [functions, ...(location.page === "function" ? functionTrail(location, region) : [{ text: titleOf(location), href: HERE }])];
    }
  }
}

function functionTrail({ name, qualifier }: FunctionPlace, region: string): Step[] {
  if (qualifier === undefined) return [{ text: name, href: HERE }];
  return [{ text: name, href: addressOf(region, { page: "function", name, tab: "code" }) }, { text: qualifier, href: HERE }];
}

function accountTrail({ section, item }: AccountPlace, region: string): Step[] {
  const at = (section: AccountSection) => addressOf(region, { page: "account", section });
  const trail = [{ text: "Account", href: at("overview") }];
  if (section !== "overview") trail.push({ text: ACCOUNT_TITLES[section], href: at(section) });
  return item === undefined ? trail : [...trail, { text: item, href: HERE }];
}

function layersTrail(at: LayersPlace, region: string): Step[] {
  const trail = [{ text: "Layers", href: addressOf(region, { page: "layers" }) }];
  if (at.page !== "layers" && at.name !== undefined) trail.push({ text: at.name, href: addressOf(region, { page: "layer", name: at.name }) });
  if (at.page === "layer" && at.version !== undefined) trail.push({ text: at.version, href: HERE });
  return at.page === "create-layer" ? [...trail, { text: titleOf(at), href: HERE }] : trail;
}
