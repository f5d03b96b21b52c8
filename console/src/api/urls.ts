/** Function URLs: of a function, which `qualifier` undefined means, and of its aliases. */

import {
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  type FunctionUrlConfig,
  UpdateFunctionUrlConfigCommand,
  type UpdateFunctionUrlConfigCommandInput,
  paginateListFunctionUrlConfigs,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import { all } from "./pages";
import { addPermissions, getPolicy } from "./policies";
import { missingGrants } from "./publicUrl";

export type { FunctionUrlConfig };
export type UrlSettings = Pick<UpdateFunctionUrlConfigCommandInput, "AuthType" | "InvokeMode" | "Cors">;

export function listUrls(place: Place, name: string): Promise<FunctionUrlConfig[]> {
  return all(paginateListFunctionUrlConfigs({ client: lambdaClient(place) }, { FunctionName: name }), (page) => page.FunctionUrlConfigs);
}

/** The address. */
export async function createUrl(place: Place, name: string, qualifier: string | undefined, settings: UrlSettings): Promise<string> {
  const { AuthType, InvokeMode, Cors } = settings;
  const made = await lambdaClient(place).send(
    new CreateFunctionUrlConfigCommand({ FunctionName: name, Qualifier: qualifier, AuthType, InvokeMode, Cors }),
  );
  return made.FunctionUrl ?? "";
}

export async function updateUrl(place: Place, name: string, qualifier: string | undefined, settings: UrlSettings): Promise<void> {
  await lambdaClient(place).send(new UpdateFunctionUrlConfigCommand({ FunctionName: name, Qualifier: qualifier, ...settings }));
}

export async function deleteUrl(place: Place, name: string, qualifier: string | undefined): Promise<void> {
  await lambdaClient(place).send(new DeleteFunctionUrlConfigCommand({ FunctionName: name, Qualifier: qualifier }));
}

/** Adds what the policy lacks for everybody to use a URL that asks nobody who they are. */
export async function openToEverybody(place: Place, name: string, qualifier?: string): Promise<void> {
  await addPermissions(place, name, qualifier, missingGrants((await getPolicy(place, name, qualifier))?.document));
}

/** A URL that everybody may use, of a function that has no policy yet. */
export async function openUrl(place: Place, name: string): Promise<string> {
  const url = await createUrl(place, name, undefined, { AuthType: "NONE" });
  await addPermissions(place, name, undefined, missingGrants(undefined));
  return url;
}
