/** Resource-based policies: of a function, which `qualifier` undefined means, and of its versions and aliases. */

import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  DeleteResourcePolicyCommand,
  GetPolicyCommand,
  PutResourcePolicyCommand,
  RemovePermissionCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";

export interface FoundPolicy {
  /** JSON as the API has it. */
  readonly document: string;
  /** That a change has to be made from. */
  readonly revision?: string;
}

export type Permission = Omit<AddPermissionCommandInput, "FunctionName" | "Qualifier">;

/** Undefined where there is none. */
export async function getPolicy(place: Place, name: string, qualifier?: string): Promise<FoundPolicy | undefined> {
  try {
    const found = await lambdaClient(place).send(new GetPolicyCommand({ FunctionName: name, Qualifier: qualifier }));
    return { document: found.Policy ?? "", revision: found.RevisionId };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

export async function addPermission(place: Place, name: string, qualifier: string | undefined, permission: Permission): Promise<void> {
  await lambdaClient(place).send(new AddPermissionCommand({ ...permission, FunctionName: name, Qualifier: qualifier }));
}

/** All of them, or none. */
export async function addPermissions(place: Place, name: string, qualifier: string | undefined, permissions: readonly Permission[]): Promise<void> {
  const added: string[] = [];
  try {
    for (const permission of permissions) {
      await addPermission(place, name, qualifier, permission);
      added.push(permission.StatementId!);
    }
  } catch (error) {
    await Promise.allSettled(added.map((id) => removePermission(place, name, qualifier, id)));
    throw error;
  }
}

export async function removePermission(place: Place, name: string, qualifier: string | undefined, id: string, revision?: string): Promise<void> {
  await lambdaClient(place).send(
    new RemovePermissionCommand({ FunctionName: name, Qualifier: qualifier, StatementId: id, RevisionId: revision }),
  );
}

/** In place of all statements. Without `revision`, whatever they are by now. */
export async function putPolicy(place: Place, arn: string, document: string, revision?: string): Promise<void> {
  await lambdaClient(place).send(new PutResourcePolicyCommand({ ResourceArn: arn, Policy: document, RevisionId: revision }));
}

export async function deletePolicy(place: Place, arn: string, revision?: string): Promise<void> {
  await lambdaClient(place).send(new DeleteResourcePolicyCommand({ ResourceArn: arn, RevisionId: revision }));
}
