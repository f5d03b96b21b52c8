/** Users and their access keys. */

import {
  type AccessKeyMetadata,
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetUserCommand,
  type User,
  UpdateAccessKeyCommand,
  paginateListAccessKeys,
  paginateListUsers,
} from "@aws-sdk/client-iam";
import type { Place } from "../clients";
import { all } from "../pages";
import { iamClient } from "./client";
import { groupNamesOf, leave } from "./groups";
import { dropAll } from "./policies";

export type { AccessKeyMetadata, User };

/** What is told once. */
export interface NewKey {
  readonly id: string;
  readonly secret: string;
}

export function listUsers(place: Place): Promise<User[]> {
  return all(paginateListUsers({ client: iamClient(place) }, {}), ({ Users }) => Users);
}

export async function getUser(place: Place, UserName: string): Promise<User> {
  const { User: found } = await iamClient(place).send(new GetUserCommand({ UserName }));
  return found!;
}

export async function createUser(place: Place, UserName: string): Promise<void> {
  await iamClient(place).send(new CreateUserCommand({ UserName }));
}

/** With everything that would keep it from being deleted: keys, policies, memberships. */
export async function deleteUser(place: Place, UserName: string): Promise<void> {
  const client = iamClient(place);
  for (const { AccessKeyId } of await listKeys(place, UserName)) await deleteKey(place, UserName, AccessKeyId!);
  for (const group of await groupNamesOf(place, UserName)) await leave(place, group, UserName);
  await dropAll(place, { kind: "user", name: UserName });
  if ((await getUser(place, UserName)).PermissionsBoundary) await client.send(new DeleteUserPermissionsBoundaryCommand({ UserName }));
  await client.send(new DeleteUserCommand({ UserName }));
}

export function listKeys(place: Place, UserName: string): Promise<AccessKeyMetadata[]> {
  return all(paginateListAccessKeys({ client: iamClient(place) }, { UserName }), ({ AccessKeyMetadata }) => AccessKeyMetadata);
}

export async function createKey(place: Place, UserName: string): Promise<NewKey> {
  const { AccessKey } = await iamClient(place).send(new CreateAccessKeyCommand({ UserName }));
  return { id: AccessKey!.AccessKeyId!, secret: AccessKey!.SecretAccessKey! };
}

export async function setKeyActive(place: Place, UserName: string, AccessKeyId: string, active: boolean): Promise<void> {
  await iamClient(place).send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: active ? "Active" : "Inactive" }));
}

export async function deleteKey(place: Place, UserName: string, AccessKeyId: string): Promise<void> {
  await iamClient(place).send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
}
