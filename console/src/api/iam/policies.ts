/** Managed policies, and the policies that users, groups and roles have: attached ones and their own. */

import {
  AttachGroupPolicyCommand, AttachRolePolicyCommand, AttachUserPolicyCommand,
  CreatePolicyCommand, CreatePolicyVersionCommand,
  DeleteGroupPolicyCommand, DeletePolicyCommand, DeletePolicyVersionCommand, DeleteRolePolicyCommand, DeleteUserPolicyCommand,
  DetachGroupPolicyCommand, DetachRolePolicyCommand, DetachUserPolicyCommand,
  GetGroupPolicyCommand, GetPolicyCommand, GetPolicyVersionCommand, GetRolePolicyCommand, GetUserPolicyCommand,
  type Policy,
  PutGroupPolicyCommand, PutRolePolicyCommand, PutUserPolicyCommand,
  paginateListAttachedGroupPolicies, paginateListAttachedRolePolicies, paginateListAttachedUserPolicies,
  paginateListEntitiesForPolicy,
  paginateListGroupPolicies, paginateListPolicies, paginateListPolicyVersions, paginateListRolePolicies, paginateListUserPolicies,
} from "@aws-sdk/client-iam";
import type { Place } from "../clients";
import { all } from "../pages";
import { iamClient } from "./client";
import { documentText } from "./document";

export type { Policy };

const MOST_VERSIONS = 5;

export interface Holder {
  readonly kind: "user" | "group" | "role";
  readonly name: string;
}

export interface HeldPolicy {
  readonly name: string;
  /** Of a managed policy; one of its own has none. */
  readonly arn?: string;
}

/** A managed policy with its document, and who has it. */
export interface ManagedPolicy {
  readonly policy: Policy;
  readonly document: string;
}

export async function heldBy(place: Place, { kind, name }: Holder): Promise<HeldPolicy[]> {
  const client = { client: iamClient(place) };
  const [attached, own] = {
    user: [paginateListAttachedUserPolicies(client, { UserName: name }), paginateListUserPolicies(client, { UserName: name })] as const,
    group: [paginateListAttachedGroupPolicies(client, { GroupName: name }), paginateListGroupPolicies(client, { GroupName: name })] as const,
    role: [paginateListAttachedRolePolicies(client, { RoleName: name }), paginateListRolePolicies(client, { RoleName: name })] as const,
  }[kind];
  const managed = await all(attached, ({ AttachedPolicies }) => AttachedPolicies);
  const inline = await all(own, ({ PolicyNames }) => PolicyNames);
  return [
    ...managed.map(({ PolicyName, PolicyArn }) => ({ name: PolicyName!, arn: PolicyArn! })),
    ...inline.map((PolicyName) => ({ name: PolicyName })),
  ];
}

/** The text of a policy that somebody has. */
export async function documentOf(place: Place, { kind, name }: Holder, held: HeldPolicy): Promise<string> {
  if (held.arn !== undefined) return (await getPolicy(place, held.arn)).document;
  const client = iamClient(place), PolicyName = held.name;
  const { PolicyDocument } = kind === "user" ? await client.send(new GetUserPolicyCommand({ UserName: name, PolicyName }))
    : kind === "group" ? await client.send(new GetGroupPolicyCommand({ GroupName: name, PolicyName }))
    : await client.send(new GetRolePolicyCommand({ RoleName: name, PolicyName }));
  return documentText(PolicyDocument);
}

export async function putOwn(place: Place, { kind, name }: Holder, PolicyName: string, PolicyDocument: string): Promise<void> {
  const client = iamClient(place);
  if (kind === "user") await client.send(new PutUserPolicyCommand({ UserName: name, PolicyName, PolicyDocument }));
  else if (kind === "group") await client.send(new PutGroupPolicyCommand({ GroupName: name, PolicyName, PolicyDocument }));
  else await client.send(new PutRolePolicyCommand({ RoleName: name, PolicyName, PolicyDocument }));
}

export async function attach(place: Place, { kind, name }: Holder, PolicyArn: string): Promise<void> {
  const client = iamClient(place);
  if (kind === "user") await client.send(new AttachUserPolicyCommand({ UserName: name, PolicyArn }));
  else if (kind === "group") await client.send(new AttachGroupPolicyCommand({ GroupName: name, PolicyArn }));
  else await client.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn }));
}

/** Detaches a managed policy; deletes one of its own. */
export async function drop(place: Place, holder: Holder, held: HeldPolicy): Promise<void> {
  await (held.arn === undefined ? deleteOwn(place, holder, held.name) : detach(place, holder, held.arn));
}

export async function dropAll(place: Place, holder: Holder): Promise<void> {
  for (const held of await heldBy(place, holder)) await drop(place, holder, held);
}

async function detach(place: Place, { kind, name }: Holder, PolicyArn: string): Promise<void> {
  const client = iamClient(place);
  if (kind === "user") await client.send(new DetachUserPolicyCommand({ UserName: name, PolicyArn }));
  else if (kind === "group") await client.send(new DetachGroupPolicyCommand({ GroupName: name, PolicyArn }));
  else await client.send(new DetachRolePolicyCommand({ RoleName: name, PolicyArn }));
}

async function deleteOwn(place: Place, { kind, name }: Holder, PolicyName: string): Promise<void> {
  const client = iamClient(place);
  if (kind === "user") await client.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName }));
  else if (kind === "group") await client.send(new DeleteGroupPolicyCommand({ GroupName: name, PolicyName }));
  else await client.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName }));
}

export function listPolicies(place: Place): Promise<Policy[]> {
  return all(paginateListPolicies({ client: iamClient(place) }, { Scope: "All" }), ({ Policies }) => Policies);
}

export async function getPolicy(place: Place, PolicyArn: string): Promise<ManagedPolicy> {
  const client = iamClient(place);
  const { Policy: policy } = await client.send(new GetPolicyCommand({ PolicyArn }));
  const { PolicyVersion } = await client.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: policy!.DefaultVersionId }));
  return { policy: policy!, document: documentText(PolicyVersion!.Document) };
}

/** Users, groups and roles that a managed policy is attached to. */
export function holdersOf(place: Place, PolicyArn: string): Promise<Holder[]> {
  return all(paginateListEntitiesForPolicy({ client: iamClient(place) }, { PolicyArn }), (page) => [
    ...(page.PolicyUsers ?? []).map(({ UserName }): Holder => ({ kind: "user", name: UserName! })),
    ...(page.PolicyGroups ?? []).map(({ GroupName }): Holder => ({ kind: "group", name: GroupName! })),
    ...(page.PolicyRoles ?? []).map(({ RoleName }): Holder => ({ kind: "role", name: RoleName! })),
  ]);
}

export async function createPolicy(place: Place, PolicyName: string, PolicyDocument: string): Promise<void> {
  await iamClient(place).send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
}

/** As a new version, which is the default from then on. Of five, the most that there may be, the oldest goes. */
export async function changePolicy(place: Place, PolicyArn: string, PolicyDocument: string): Promise<void> {
  const client = iamClient(place);
  const versions = await all(paginateListPolicyVersions({ client }, { PolicyArn }), ({ Versions }) => Versions);
  if (versions.length >= MOST_VERSIONS) {
    const numbers = versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).map(({ VersionId }) => Number(VersionId!.slice(1)));
    await client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: `v${Math.min(...numbers)}` }));
  }
  await client.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }));
}

/** With its versions. Refused where it is attached to anything. */
export async function deletePolicy(place: Place, PolicyArn: string): Promise<void> {
  const client = iamClient(place);
  const versions = await all(paginateListPolicyVersions({ client }, { PolicyArn }), ({ Versions }) => Versions);
  for (const { VersionId, IsDefaultVersion } of versions) {
    if (!IsDefaultVersion) await client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }));
  }
  await client.send(new DeletePolicyCommand({ PolicyArn }));
}
