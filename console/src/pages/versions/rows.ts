/** Versions as the list shows them. Pure. */

import type { ProvisionedConcurrencyConfigListItem } from "@aws-sdk/client-lambda";
import type { AliasConfiguration } from "../../api/aliases";
import type { FunctionConfiguration } from "../../api/functions";
import { LATEST } from "../../app/places";
import { moment } from "../../components/format";

export interface Row {
  readonly version: string;
  /** Later versions have higher ones; `$LATEST` is after all. */
  readonly order: number;
  readonly description: string;
  readonly modified: Date;
  readonly codeSize: number;
  readonly aliases: readonly Pointing[];
  readonly provisioned?: ProvisionedConcurrencyConfigListItem;
}

export interface Pointing {
  readonly alias: string;
  /** The share of the alias's invocations, from 0 to 1. */
  readonly share: number;
}

export function rowsOf(
  versions: readonly FunctionConfiguration[], aliases: readonly AliasConfiguration[],
  provisioned: ReadonlyMap<string, ProvisionedConcurrencyConfigListItem>,
): Row[] {
  return versions.map(({ Version = "", Description = "", LastModified = "", CodeSize = 0 }) => ({
    version: Version, order: Version === LATEST ? Infinity : Number(Version), description: Description, modified: moment(LastModified),
    codeSize: CodeSize, aliases: pointingAt(Version, aliases), provisioned: provisioned.get(Version),
  }));
}

function pointingAt(version: string, aliases: readonly AliasConfiguration[]): Pointing[] {
  return aliases.flatMap((alias) => {
    const share = sharesOf(alias).get(version);
    return share === undefined ? [] : { alias: alias.Name ?? "", share };
  });
}

/** Of an alias's versions, from 0 to 1: what it points at first. */
export function sharesOf({ FunctionVersion = "", RoutingConfig }: AliasConfiguration): Map<string, number> {
  const additional = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
  const rest = additional.reduce((left, [, weight]) => left - weight, 1);
  // Weights are decimals: 1 - 0.9 is not quite 0.1.
  return new Map([[FunctionVersion, Number(rest.toFixed(6))], ...additional]);
}
