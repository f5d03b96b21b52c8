/** Places in the console and their addresses. Pure; `router` follows the browser. */

export const BASE = "/_ingle/console";
export const TABS = ["code", "test"] as const;
export type Tab = (typeof TABS)[number];

export type Page =
  | { readonly page: "functions" }
  | { readonly page: "create" }
  | { readonly page: "function"; readonly name: string; readonly tab: Tab }
  | { readonly page: "unknown"; readonly path: string };

export type Location = Page & { readonly region?: string };

/** `/_ingle/console/REGION/functions/NAME/TAB`. */
export function addressOf(region: string, page: Page): string {
  const start = `${BASE}/${region}`;
  switch (page.page) {
    case "functions":
      return `${start}/functions`;
    case "create":
      return `${start}/create`;
    case "function":
      return `${start}/functions/${encodeURIComponent(page.name)}/${page.tab}`;
    case "unknown":
      return page.path;
  }
}

export function locationOf(path: string): Location {
  const unknown: Location = { page: "unknown", path };
  if (path !== BASE && !path.startsWith(`${BASE}/`)) return unknown;
  const [region, page, name, tab, ...rest] = path.slice(BASE.length).split("/").filter(Boolean);
  if (region === undefined) return { page: "functions" };
  if (rest.length > 0) return unknown;
  if (page === undefined || (page === "functions" && name === undefined)) return { page: "functions", region };
  if (page === "create" && name === undefined) return { page: "create", region };
  const known = TABS.find((each) => each === (tab ?? "code"));
  const decoded = page === "functions" && name !== undefined ? decode(name) : undefined;
  if (decoded === undefined || known === undefined) return unknown;
  return { page: "function", region, name: decoded, tab: known };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
