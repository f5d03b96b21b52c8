/** Published versions of a function, and what is provisioned of them. */

import {
  DeleteFunctionCommand,
  ListProvisionedConcurrencyConfigsCommand,
  ListVersionsByFunctionCommand,
  type ProvisionedConcurrencyConfigListItem,
  PublishVersionCommand,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import type { FunctionConfiguration } from "./functions";

/** `$LATEST` first, then all versions as they were published. */
export async function listVersions(place: Place, name: string): Promise<FunctionConfiguration[]> {
  const found: FunctionConfiguration[] = [];
  let Marker: string | undefined;
  do {
    const page = await lambdaClient(place).send(new ListVersionsByFunctionCommand({ FunctionName: name, Marker }));
    found.push(...(page.Versions ?? []));
    Marker = page.NextMarker;
  } while (Marker);
  return found;
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
  const found = new Map<string, ProvisionedConcurrencyConfigListItem>();
  let Marker: string | undefined;
  do {
    const page = await lambdaClient(place).send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: name, Marker }));
    for (const each of page.ProvisionedConcurrencyConfigs ?? []) found.set(each.FunctionArn?.split(":")[7] ?? "", each);
    Marker = page.NextMarker;
  } while (Marker);
  return found;
}
