/** The parts of the console, at the side of every page. */

import SideNavigation, { type SideNavigationProps } from "@cloudscape-design/components/side-navigation";
import { ACCOUNT, type Location, type Page, addressOf } from "./places";
import { follow } from "./router";
import { ACCOUNT_TITLES } from "./titles";

const PARTS: readonly { readonly text: string; readonly page: Page; readonly of: readonly Page["page"][] }[] = [
  { text: "Functions", page: { page: "functions" }, of: ["functions", "create", "function"] },
  { text: "Layers", page: { page: "layers" }, of: ["layers", "create-layer", "layer"] },
];

export function Navigation({ location, region }: { location: Location; region: string }) {
  const link = (text: string, page: Page): SideNavigationProps.Link => ({ type: "link", text, href: addressOf(region, page) });
  const within = location.page === "account" ? { page: { ...location, item: undefined } } : PARTS.find(({ of }) => of.includes(location.page));
  return (
    <SideNavigation
      activeHref={within && addressOf(region, within.page)}
      items={[
        ...PARTS.map(({ text, page }) => link(text, page)),
        { type: "divider" },
        { type: "section-group", title: "Account", items: ACCOUNT.map((section) => link(ACCOUNT_TITLES[section], { page: "account", section })) },
      ]}
      onFollow={follow}
    />
  );
}
