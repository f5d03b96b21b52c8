/** A link to a page of the account, or to a function. */

import Link from "@cloudscape-design/components/link";
import { useConsole } from "../../app/context";
import { type AccountSection, addressOf } from "../../app/places";
import { follow } from "../../app/router";

export function ItemLink({ section, item, text = item }: { section: AccountSection; item: string; text?: string }) {
  const { region } = useConsole();
  return <Link href={addressOf(region, { page: "account", section, item })} onFollow={follow}>{text}</Link>;
}

export function FunctionLink({ name }: { name: string }) {
  const { region } = useConsole();
  return <Link href={addressOf(region, { page: "function", name, tab: "code" })} onFollow={follow}>{name}</Link>;
}
