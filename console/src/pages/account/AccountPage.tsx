/** The account: its limits, who may do what in it, and the machine that it is on. */

import type { ComponentType } from "react";
import type { AccountPlace, AccountSection } from "../../app/places";
import { lazily } from "../../components/lazily";

const SECTIONS: Record<AccountSection, ComponentType<{ item?: string }>> = {
  overview: lazily("the overview", () => import("./overview/Overview")),
  users: lazily("the users", () => import("./users/Users")),
  groups: lazily("the groups", () => import("./groups/Groups")),
  policies: lazily("the policies", () => import("./policies/Policies")),
  roles: lazily("the roles", () => import("./roles/Roles")),
  keys: lazily("the keys", () => import("./keys/Keys")),
  environments: lazily("the environments", () => import("./environments/Environments")),
  audit: lazily("the audit log", () => import("./audit/Audit")),
  host: lazily("the host", () => import("./host/Host")),
};

export default function AccountPage({ section, item }: Omit<AccountPlace, "page">) {
  const Section = SECTIONS[section];
  return <Section key={`${section} ${item}`} item={item} />;
}
