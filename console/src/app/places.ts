/** Places in the console and their addresses. Pure; `router` follows the browser. */

export const BASE = "/_ingle/console";
/** The version that changes. */
export const LATEST = "$LATEST";
/** Of a function, and what they are divided into: the first section is the one that a tab opens with. */
export const TABS = {
  code: [],
  test: [],
  monitor: ["metrics", "logs", "invocations", "environments"],
  // In the order of AWS's console.
  configuration: [
    "general",
    "runtime",
    "permissions",
    "destinations",
    "url",
    "environment",
    "tags",
    "vpc",
    "monitoring",
    "concurrency",
    "asynchronous",
    "code-signing",
    "file-systems",
  ],
  aliases: [],
  versions: [],
} as const satisfies Record<string, readonly string[]>;
/** Tabs with pages of their own below them, and what these are called: two versions that are compared, an alias. */
const DETAILS: Partial<Record<Tab, RegExp>> = { versions: /^(\d+|\$LATEST)\.\.\.(\d+|\$LATEST)$/, aliases: /^[A-Za-z0-9-_]+$/ };
export type Tab = keyof typeof TABS;
export type Section<Of extends Tab> = (typeof TABS)[Of][number];

/** Of the account, in their order. */
export const ACCOUNT = ["overview", "users", "groups", "policies", "roles", "keys", "environments", "audit", "host"] as const;
export type AccountSection = (typeof ACCOUNT)[number];
/** Sections that have pages of single things. */
const WITH_ITEMS: readonly string[] = ["users", "groups", "policies", "roles", "keys"];

export interface AccountPlace {
  readonly page: "account";
  readonly section: AccountSection;
  /** Name, id or ARN of one of them. */
  readonly item?: string;
}

export interface FunctionPlace {
  readonly page: "function";
  readonly name: string;
  /** A version or an alias; absent for the function itself, which is `$LATEST`. */
  readonly qualifier?: string;
  readonly tab: Tab;
  /** Of the tab; absent where it has none. */
  readonly section?: string;
}

export type LayersPlace =
  | { readonly page: "layers" }
  /** `name`: of a layer that gets another version. */
  | { readonly page: "create-layer"; readonly name?: string }
  /** Without a version the latest one. */
  | { readonly page: "layer"; readonly name: string; readonly version?: string };

export type Page =
  | { readonly page: "functions" }
  | { readonly page: "create" }
  | FunctionPlace
  | AccountPlace
  | LayersPlace
  | { readonly page: "unknown"; readonly path: string };

export type Location = Page & { readonly region?: string };

/** `/_ingle/console/REGION/functions/NAME[:QUALIFIER]/TAB/SECTION`, `.../REGION/account/SECTION/ITEM`, `.../REGION/layers/NAME/VERSION`. */
export function addressOf(region: string, page: Page): string {
  const start = `${BASE}/${region}`;
  switch (page.page) {
    case "functions":
      return `${start}/functions`;
    case "create":
      return `${start}/create`;
    case "function":
      return [`${start}/functions/${[page.name, page.qualifier].filter(Boolean).map((part) => encodeURIComponent(part!)).join(":")}/${page.tab}`, page.section && encodeURIComponent(page.section)].filter(Boolean).join("/");
    case "account":
      return `${start}/account/${page.section}${page.item === undefined ? "" : `/${encodeURIComponent(page.item)}`}`;
    case "layers":
      return `${start}/layers`;
    case "create-layer":
      return `${start}/create-layer${page.name === undefined ? "" : `/${encodeURIComponent(page.name)}`}`;
    case "layer":
      return `${start}/layers/${encodeURIComponent(page.name)}${page.version === undefined ? "" : `/${page.version}`}`;
    case "unknown":
      return page.path;
  }
}

export function locationOf(path: string): Location {
  const unknown: Location = { page: "unknown", path };
  if (path !== BASE && !path.startsWith(`${BASE}/`)) return unknown;
  const [region, page, ...rest] = path.slice(BASE.length).split("/").filter(Boolean);
  if (region === undefined) return { page: "functions" };
  if (page === undefined || (page === "functions" && rest.length === 0)) return { page: "functions", region };
  if (page === "create" && rest.length === 0) return { page: "create", region };
  const found = page === "functions" ? functionAt(rest) : page === "account" ? accountAt(rest) : layersAt(page, rest);
  return found === undefined ? unknown : { ...found, region };
}

function functionAt([called = "", tab = "code", within, ...rest]: readonly string[]): FunctionPlace | undefined {
  const [name = "", qualifier = "", ...more] = called.split(":").map(decode);
  if (name === "" || more.length > 0 || !isTab(tab) || rest.length > 0) return undefined;
  const sections: readonly string[] = TABS[tab];
  const section = within === undefined ? undefined : decode(within);
  if (section !== undefined && !sections.includes(section) && !DETAILS[tab]?.test(section)) return undefined;
  const opened = section ?? sections[0];
  return {
    page: "function", name, tab, ...(qualifier === "" || qualifier === LATEST ? {} : { qualifier }), ...(opened === undefined ? {} : { section: opened }),
  };
}

function layersAt(page: string, [called, version, ...rest]: readonly string[]): LayersPlace | undefined {
  const name = called === undefined ? undefined : decode(called);
  if (name === "" || rest.length > 0) return undefined;
  if (page === "create-layer" && version === undefined) return { page, ...(name === undefined ? {} : { name }) };
  if (page !== "layers") return undefined;
  if (name === undefined) return { page };
  if (version !== undefined && !/^[0-9]+$/.test(version)) return undefined;
  return { page: "layer", name, ...(version === undefined ? {} : { version }) };
}

function accountAt([section = "overview", item, ...rest]: readonly string[]): AccountPlace | undefined {
  const known = ACCOUNT.find((each) => each === section);
  if (known === undefined || rest.length > 0) return undefined;
  if (item === undefined) return { page: "account", section: known };
  const decoded = decode(item);
  return decoded === "" || !WITH_ITEMS.includes(section) ? undefined : { page: "account", section: known, item: decoded };
}

function isTab(text: string): text is Tab {
  return Object.hasOwn(TABS, text);
}

/** Nothing, where it is no encoded text. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** A query string with some of its members changed. What is undefined is taken out. */
export function withQuery(search: string, changes: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  return query.size === 0 ? "" : `?${query}`;
}
