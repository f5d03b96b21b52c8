/** Published versions of a function, and what is provisioned of them. */

import {
  DeleteFunctionCommand,
  type ProvisionedConcurrencyConfigListItem,
  PublishVersionCommand,
  paginateListProvisionedConcurrencyConfigs,
  paginateListVersionsByFunction,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import type { FunctionConfiguration } from "./functions";
import { all } from "./pages";

/** `$LATEST` first, then all versions as they were published. */
export function listVersions(place: Place, name: string): Promise<FunctionConfiguration[]> {
  return all(paginateListVersionsByFunction({ client: lambdaClient(place) }, { FunctionName: name }), ({ Versions }) => Versions);
}

/** `codeSha256`: refused, if the code is another by then. The latest version again, where nothing changed since it. */
export function publishVersion(place: Place, name: string, { description, codeSha256 }: {
  description: string; codeSha256?: string;
}): Promise<FunctionConfiguration> {
  return lambdaClient(place).send(new PublishVersionCommand({
    FunctionName: name, Description: description || undefined, CodeSha256: codeSha256 || undefined,
  }));
}

export async function deleteVersion(place: Place, name: string, version: string): Promise<void> {
  await lambdaClient(place).send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: version }));
}

/** By version or alias. */
export async function listProvisioned(place: Place, name: string): Promise<Map<string, ProvisionedConcurrencyConfigListItem>> {
  const pages = paginateListProvisionedConcurrencyConfigs({ client: lambdaClient(place) }, { FunctionName: name });
  const found = await all(pages, ({ ProvisionedConcurrencyConfigs }) => ProvisionedConcurrencyConfigs);
  return new Map(found.map((each) => [each.FunctionArn?.split(":")[7] ?? "", each]));
}
