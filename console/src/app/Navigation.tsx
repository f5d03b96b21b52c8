/** The parts of the console, at the side of every page. */

import SideNavigation from "@cloudscape-design/components/side-navigation";
import { type Location, type Page, addressOf } from "./places";
import { follow } from "./router";

const PARTS: readonly { readonly text: string; readonly page: Page; readonly of: readonly Page["page"][] }[] = [
  { text: "Functions", page: { page: "functions" }, of: ["functions", "create", "function"] },
];

export function Navigation({ location, region }: { location: Location; region: string }) {
  const within = PARTS.find(({ of }) => of.includes(location.page));
  return (
    <SideNavigation
      activeHref={within && addressOf(region, within.page)}
      items={PARTS.map(({ text, page }) => ({ type: "link" as const, text, href: addressOf(region, page) }))}
      onFollow={follow}
    />
  );
}
