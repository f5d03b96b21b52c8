/** Changes to a function's configuration. */

import { UpdateFunctionConfigurationCommand, type UpdateFunctionConfigurationCommandInput } from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import type { FunctionConfiguration } from "./functions";

export type Changes = Omit<UpdateFunctionConfigurationCommandInput, "FunctionName" | "RevisionId">;

/** `found`: what the changes were made from. Refused, if somebody else changed the function since then. */
export async function updateConfiguration(place: Place, found: FunctionConfiguration, changes: Changes): Promise<void> {
  await lambdaClient(place).send(
    new UpdateFunctionConfigurationCommand({ ...changes, FunctionName: found.FunctionName, RevisionId: found.RevisionId }),
  );
}
