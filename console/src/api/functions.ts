/** Operations on functions. */

import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  type FunctionConfiguration,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import { Failure } from "./errors";

export type { FunctionConfiguration };

/** All functions, page by page as they come. */
export async function* listFunctions(place: Place, signal?: AbortSignal): AsyncGenerator<FunctionConfiguration[]> {
  let Marker: string | undefined;
  do {
    const page = await lambdaClient(place).send(new ListFunctionsCommand({ Marker, MaxItems: 50 }), { abortSignal: signal });
    yield page.Functions ?? [];
    Marker = page.NextMarker;
  } while (Marker);
}

export function getConfiguration(place: Place, name: string, qualifier?: string): Promise<FunctionConfiguration> {
  return lambdaClient(place).send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: qualifier }));
}

/** The version or the alias that a configuration was asked for by; none, if it is the function's own. */
export function qualifierOf(found: FunctionConfiguration): string | undefined {
  return found.FunctionArn?.split(":")[7];
}

export async function createFunction(place: Place, input: CreateFunctionCommandInput): Promise<void> {
  await lambdaClient(place).send(new CreateFunctionCommand(input));
}

export async function deleteFunction(place: Place, name: string): Promise<void> {
  await lambdaClient(place).send(new DeleteFunctionCommand({ FunctionName: name }));
}

/** The package as it is deployed. */
export async function download(place: Place, name: string, qualifier?: string): Promise<Uint8Array> {
  const found = await lambdaClient(place).send(new GetFunctionCommand({ FunctionName: name, Qualifier: qualifier }));
  return fetchPackage(found.Code?.Location ?? "");
}

/** From an address that the API answered. */
export async function fetchPackage(address: string): Promise<Uint8Array> {
  const answer = await fetch(address, { credentials: "omit" });
  if (!answer.ok) throw new Failure({ kind: "refused", message: `The package was answered with status ${answer.status}.` });
  return new Uint8Array(await answer.arrayBuffer());
}

export function deploy(place: Place, name: string, zip: Uint8Array): Promise<FunctionConfiguration> {
  return lambdaClient(place).send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip }));
}
