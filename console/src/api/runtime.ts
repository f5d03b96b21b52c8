/** When the runtime of a function, or of a version of it, is changed for a newer version. */

import { GetRuntimeManagementConfigCommand, PutRuntimeManagementConfigCommand, type UpdateRuntimeOn } from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";

export interface RuntimeManagement {
  readonly updateOn: UpdateRuntimeOn;
  /** With `Manual`, and only with it. */
  readonly versionArn?: string;
}

export async function runtimeManagement(place: Place, name: string, version?: string): Promise<RuntimeManagement> {
  const found = await lambdaClient(place).send(new GetRuntimeManagementConfigCommand({ FunctionName: name, Qualifier: version }));
  return { updateOn: found.UpdateRuntimeOn ?? "Auto", versionArn: found.RuntimeVersionArn };
}

export async function manageRuntime(
  place: Place, name: string, version: string | undefined, { updateOn, versionArn }: RuntimeManagement,
): Promise<void> {
  await lambdaClient(place).send(
    new PutRuntimeManagementConfigCommand({ FunctionName: name, Qualifier: version, UpdateRuntimeOn: updateOn, RuntimeVersionArn: versionArn }),
  );
}
