/** What parts of the account are called. */

import type { AccountSection } from "./places";

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
