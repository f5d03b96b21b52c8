/** User groups and who is in them. */

import {
  AddUserToGroupCommand,
  CreateGroupCommand,
  DeleteGroupCommand,
  type Group,
  RemoveUserFromGroupCommand,
  type User,
  paginateGetGroup,
  paginateListGroups,
  paginateListGroupsForUser,
} from "@aws-sdk/client-iam";
import type { Place } from "../clients";
import { all } from "../pages";
import { iamClient } from "./client";
import { dropAll } from "./policies";

export type { Group };

export function listGroups(place: Place): Promise<Group[]> {
  return all(paginateListGroups({ client: iamClient(place) }, {}), ({ Groups }) => Groups);
}

export async function groupNamesOf(place: Place, UserName: string): Promise<string[]> {
  const found = await all(paginateListGroupsForUser({ client: iamClient(place) }, { UserName }), ({ Groups }) => Groups);
  return found.map(({ GroupName }) => GroupName!);
}

export function membersOf(place: Place, GroupName: string): Promise<User[]> {
  return all(paginateGetGroup({ client: iamClient(place) }, { GroupName }), ({ Users }) => Users);
}

export async function createGroup(place: Place, GroupName: string): Promise<void> {
  await iamClient(place).send(new CreateGroupCommand({ GroupName }));
}

/** With its policies and memberships, which would keep it from being deleted. */
export async function deleteGroup(place: Place, GroupName: string): Promise<void> {
  for (const { UserName } of await membersOf(place, GroupName)) await leave(place, GroupName, UserName!);
  await dropAll(place, { kind: "group", name: GroupName });
  await iamClient(place).send(new DeleteGroupCommand({ GroupName }));
}

export async function join(place: Place, GroupName: string, UserName: string): Promise<void> {
  await iamClient(place).send(new AddUserToGroupCommand({ GroupName, UserName }));
}

export async function leave(place: Place, GroupName: string, UserName: string): Promise<void> {
  await iamClient(place).send(new RemoveUserFromGroupCommand({ GroupName, UserName }));
}
