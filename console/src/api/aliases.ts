/** Aliases of a function. */

import {
  type AliasConfiguration,
  CreateAliasCommand,
  DeleteAliasCommand,
  UpdateAliasCommand,
  paginateListAliases,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import { all } from "./pages";

export type { AliasConfiguration };

/** What an alias leads to: a version, and perhaps another that has a share of the invocations. */
export interface Target {
  readonly description: string;
  readonly version: string;
  readonly additional?: { readonly version: string; /** From 0 to 1. */ readonly weight: number };
}

export function listAliases(place: Place, name: string): Promise<AliasConfiguration[]> {
  return all(paginateListAliases({ client: lambdaClient(place) }, { FunctionName: name }), ({ Aliases }) => Aliases);
}

export async function createAlias(place: Place, name: string, alias: string, target: Target): Promise<void> {
  await lambdaClient(place).send(new CreateAliasCommand({ FunctionName: name, Name: alias, ...members(target) }));
}

/** `alias`: what the changes were made from. Refused, if somebody else changed it since then. */
export async function updateAlias(place: Place, name: string, alias: AliasConfiguration, target: Target): Promise<void> {
  await lambdaClient(place).send(
    new UpdateAliasCommand({ FunctionName: name, Name: alias.Name, RevisionId: alias.RevisionId, ...members(target) }),
  );
}

export async function deleteAlias(place: Place, name: string, alias: string): Promise<void> {
  await lambdaClient(place).send(new DeleteAliasCommand({ FunctionName: name, Name: alias }));
}

function members({ description, version, additional }: Target) {
  return {
    Description: description, FunctionVersion: version,
    RoutingConfig: { AdditionalVersionWeights: additional ? { [additional.version]: additional.weight } : {} },
  };
}
