/** Code signing configurations, and the one that a function's code is checked by. */

import {
  type CodeSigningConfig,
  DeleteFunctionCodeSigningConfigCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  PutFunctionCodeSigningConfigCommand,
  paginateListCodeSigningConfigs,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import { all } from "./pages";

export type { CodeSigningConfig };

export function listSigningConfigs(place: Place): Promise<CodeSigningConfig[]> {
  return all(paginateListCodeSigningConfigs({ client: lambdaClient(place) }, {}), (page) => page.CodeSigningConfigs);
}

/** The one of a function, if it has one. */
export async function signingConfigOf(place: Place, name: string): Promise<CodeSigningConfig | undefined> {
  const client = lambdaClient(place);
  const { CodeSigningConfigArn } = await client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: name }));
  if (!CodeSigningConfigArn) return undefined;
  return (await client.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn }))).CodeSigningConfig;
}

export async function attachSigningConfig(place: Place, name: string, arn: string): Promise<void> {
  await lambdaClient(place).send(new PutFunctionCodeSigningConfigCommand({ FunctionName: name, CodeSigningConfigArn: arn }));
}

export async function detachSigningConfig(place: Place, name: string): Promise<void> {
  await lambdaClient(place).send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName: name }));
}
