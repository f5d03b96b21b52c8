/** What is chosen to begin with: an event of one of both kinds, or a template. Pure. */

import type { SelectProps } from "@cloudscape-design/components/select";
import { TEMPLATES } from "./templates";

/** Private ones are this browser's, shared ones the account's. */
export type Kind = "private" | "shared";

export interface Choice {
  readonly kind: Kind | "template";
  /** Name of an event, id of a template. */
  readonly name: string;
}

export function valueOf({ kind, name }: Choice): string {
  return `${kind}:${name}`;
}

export function choiceOf(value: string): Choice {
  const at = value.indexOf(":");
  return { kind: value.slice(0, at) as Choice["kind"], name: value.slice(at + 1) };
}

export function labelOf({ kind, name }: Choice): string {
  return kind === "template" ? (TEMPLATES.find(({ id }) => id === name)?.title ?? name) : name;
}

export function optionsOf(own: readonly string[], shared: readonly string[]): SelectProps.Options {
  const group = (label: string, kind: Kind, names: readonly string[], tag: string) => (
    names.length === 0 ? [] : [{ label, options: names.map((name) => ({ label: name, value: valueOf({ kind, name }), labelTag: tag })) }]
  );
  return [
    ...group("Your events", "private", own, "Private"),
    ...group("Shared events", "shared", shared, "Shared"),
    { label: "Templates", options: TEMPLATES.map(({ id, title }) => ({ label: title, value: valueOf({ kind: "template", name: id }) })) },
  ];
}
