/** Roles: who may become them, and which functions run with them. */

import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  GetRoleCommand,
  type Role,
  UpdateAssumeRolePolicyCommand,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import type { Place } from "../clients";
import { listFunctions } from "../functions";
import { all } from "../pages";
import { iamClient } from "./client";
import { attach, dropAll } from "./policies";

export type { Role };

export interface NewRole {
  readonly name: string;
  readonly description: string;
  readonly trust: string;
  /** ARNs of managed policies. */
  readonly policies: readonly string[];
}

export function listRoles(place: Place): Promise<Role[]> {
  return all(paginateListRoles({ client: iamClient(place) }, {}), ({ Roles }) => Roles);
}

export async function getRole(place: Place, RoleName: string): Promise<Role> {
  const { Role: found } = await iamClient(place).send(new GetRoleCommand({ RoleName }));
  return found!;
}

export async function createRole(place: Place, { name, description, trust, policies }: NewRole): Promise<void> {
  await iamClient(place).send(
    new CreateRoleCommand({ RoleName: name, Description: description || undefined, AssumeRolePolicyDocument: trust }),
  );
  for (const arn of policies) await attach(place, { kind: "role", name }, arn);
}

/** With its policies, which would keep it from being deleted. */
export async function deleteRole(place: Place, RoleName: string): Promise<void> {
  const client = iamClient(place);
  await dropAll(place, { kind: "role", name: RoleName });
  if ((await getRole(place, RoleName)).PermissionsBoundary) await client.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }));
  await client.send(new DeleteRoleCommand({ RoleName }));
}

export async function setTrust(place: Place, RoleName: string, PolicyDocument: string): Promise<void> {
  await iamClient(place).send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
}

/** Names of functions of this region that run with a role, in their latest version, as they are found; and how many were looked at. */
export async function* functionsWith(place: Place, role: string): AsyncGenerator<{ looked: number; found: string[] }> {
  let looked = 0;
  for await (const page of listFunctions(place)) {
    looked += page.length;
    yield { looked, found: page.filter(({ Role }) => Role === role).map(({ FunctionName }) => FunctionName!) };
  }
}
