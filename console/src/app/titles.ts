/** What pages and their parts are called. Pure. */

import type { AccountSection, Location, Tab } from "./places";

export const ACCOUNT_TITLES: Record<AccountSection, string> = {
  overview: "Overview",
  users: "Users",
  groups: "User groups",
  policies: "Policies",
  roles: "Roles",
  keys: "KMS keys",
  environments: "Environments",
  audit: "Audit log",
  host: "Host",
};

export const TAB_TITLES: Record<Tab, string> = {
  code: "Code", test: "Test", monitor: "Monitor", configuration: "Configuration", aliases: "Aliases", versions: "Versions",
};

/** Of the browser's window, and in its history: with the tab of a function. */
export function pageTitle(location: Location): string {
  return location.page === "function" ? `${titleOf(location)}: ${TAB_TITLES[location.tab]}` : titleOf(location);
}

/** In a word, as a page says it itself. */
export function titleOf(location: Location): string {
  switch (location.page) {
    case "functions":
      return "Functions";
    case "create":
      return "Create function";
    case "function":
      return location.qualifier === undefined ? location.name : `${location.name}:${location.qualifier}`;
    case "account":
      return location.item ?? ACCOUNT_TITLES[location.section];
    case "layers":
      return "Layers";
    case "create-layer":
      return location.name === undefined ? "Create layer" : "Create version";
    case "layer":
      return location.version === undefined ? location.name : `${location.name}:${location.version}`;
    case "unknown":
      return "Not found";
  }
}
