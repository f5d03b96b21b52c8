/** What the list shows of a function, and what it can be searched by. Pure. */

import type { PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import type { FunctionConfiguration } from "../../api/functions";
import type { Tags } from "../../api/tags";
import { moment } from "../../components/format";

export interface Row {
  readonly name: string;
  readonly description: string;
  readonly packageType: string;
  readonly runtime: string;
  readonly memory: number;
  readonly timeout: number;
  readonly codeSize: number;
  readonly modified: Date;
  readonly tags: Tags;
  /** For free text: tags, too. */
  readonly tagText: string;
  /** Tags as properties of the filter, see `tagProperty`. */
  readonly [tag: `tag:${string}`]: string;
}

export function rowOf(found: FunctionConfiguration, tags: Tags = {}): Row {
  const properties = Object.fromEntries(Object.entries(tags).map(([key, value]) => [tagProperty(key), value]));
  return {
    ...properties,
    name: found.FunctionName ?? "",
    description: found.Description ?? "",
    packageType: found.PackageType ?? "Zip",
    runtime: found.Runtime ?? "",
    memory: found.MemorySize ?? 0,
    timeout: found.Timeout ?? 0,
    codeSize: found.CodeSize ?? 0,
    modified: moment(found.LastModified ?? ""),
    tags,
    tagText: Object.entries(tags).map(([key, value]) => `${key}=${value}`).join(" "),
  };
}

export function tagProperty(key: string): `tag:${string}` {
  return `tag:${key}`;
}

const OPERATORS: PropertyFilterProps.FilteringProperty["operators"] = [":", "!:", "=", "!=", "^"];

/** What one can search by: the same for all functions, then the tags that there are. */
export function filteringProperties(rows: readonly Row[]): PropertyFilterProps.FilteringProperty[] {
  const keys = new Set(rows.flatMap((row) => Object.keys(row.tags)));
  return [
    { key: "name", propertyLabel: "Function name", groupValuesLabel: "Function names", operators: OPERATORS },
    { key: "description", propertyLabel: "Description", groupValuesLabel: "Descriptions", operators: OPERATORS },
    { key: "runtime", propertyLabel: "Runtime", groupValuesLabel: "Runtimes", operators: OPERATORS },
    { key: "tagText", propertyLabel: "Any tag", groupValuesLabel: "Tags", operators: [":", "!:"] },
    ...[...keys].sort().map((key) => ({
      key: tagProperty(key), propertyLabel: `Tag ${key}`, groupValuesLabel: `Values of ${key}`, group: "tags", operators: OPERATORS,
    })),
  ];
}

/** Values that are proposed: few enough to be read, so no names and descriptions of thousands. */
export function filteringOptions(rows: readonly Row[]): PropertyFilterProps.FilteringOption[] {
  const seen = new Map<string, PropertyFilterProps.FilteringOption>();
  const add = (propertyKey: string, value: string) => {
    if (value !== "") seen.set(JSON.stringify([propertyKey, value]), { propertyKey, value });
  };
  for (const row of rows) {
    add("runtime", row.runtime);
    for (const [key, value] of Object.entries(row.tags)) add(tagProperty(key), value);
  }
  return [...seen.values()];
}
