/** Keys of KMS. Only parts that are loaded when they are shown first may import it. */

import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  type GetKeyRotationStatusCommandOutput,
  KMSClient,
  type KeyMetadata,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  paginateListAliases,
  paginateListKeys,
} from "@aws-sdk/client-kms";
import { type Place, configuration } from "./clients";
import { all } from "./pages";
import { prettyDocument } from "./statements";

export type Rotation = Pick<GetKeyRotationStatusCommandOutput, "KeyRotationEnabled" | "RotationPeriodInDays" | "NextRotationDate">;

export interface Key {
  readonly id: string;
  readonly arn: string;
  /** Without `alias/`. */
  readonly aliases: readonly string[];
  /** Absent where it may not be read. */
  readonly about?: KeyMetadata;
}

function kms(place: Place): KMSClient {
  return new KMSClient(configuration(place));
}

export async function listKeys(place: Place): Promise<Key[]> {
  const client = kms(place);
  const keys = await all(paginateListKeys({ client }, {}), ({ Keys }) => Keys);
  const aliases = await aliasesByKey(client);
  return Promise.all(keys.map(async ({ KeyId = "", KeyArn = "" }) => ({
    id: KeyId, arn: KeyArn, aliases: aliases.get(KeyId) ?? [], about: await described(client, KeyId).catch(() => undefined),
  })));
}

export async function getKey(place: Place, id: string): Promise<Key> {
  const client = kms(place);
  const about = await described(client, id);
  return { id, arn: about?.Arn ?? "", aliases: (await aliasesByKey(client)).get(id) ?? [], about };
}

async function described(client: KMSClient, KeyId: string): Promise<KeyMetadata | undefined> {
  return (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
}

async function aliasesByKey(client: KMSClient): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { AliasName = "", TargetKeyId } of await all(paginateListAliases({ client }, {}), ({ Aliases }) => Aliases)) {
    if (TargetKeyId) found.set(TargetKeyId, [...(found.get(TargetKeyId) ?? []), AliasName.replace(/^alias\//, "")]);
  }
  return found;
}

export function rotationOf(place: Place, KeyId: string): Promise<Rotation> {
  return kms(place).send(new GetKeyRotationStatusCommand({ KeyId }));
}

export async function policyOf(place: Place, KeyId: string): Promise<string> {
  const { Policy = "" } = await kms(place).send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
  return prettyDocument(Policy);
}

export async function createKey(place: Place, Description: string, alias: string): Promise<void> {
  const client = kms(place);
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ Description }));
  if (alias !== "") await client.send(new CreateAliasCommand({ AliasName: `alias/${alias}`, TargetKeyId: KeyMetadata!.KeyId }));
}

export async function addAlias(place: Place, TargetKeyId: string, alias: string): Promise<void> {
  await kms(place).send(new CreateAliasCommand({ AliasName: `alias/${alias}`, TargetKeyId }));
}

export async function deleteAlias(place: Place, alias: string): Promise<void> {
  await kms(place).send(new DeleteAliasCommand({ AliasName: `alias/${alias}` }));
}

export async function setEnabled(place: Place, KeyId: string, enabled: boolean): Promise<void> {
  const client = kms(place);
  await (enabled ? client.send(new EnableKeyCommand({ KeyId })) : client.send(new DisableKeyCommand({ KeyId })));
}

/** `days` between rotations, or none. */
export async function setRotation(place: Place, KeyId: string, days: number | undefined): Promise<void> {
  const client = kms(place);
  await (days === undefined
    ? client.send(new DisableKeyRotationCommand({ KeyId }))
    : client.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: days })));
}

export async function rotateNow(place: Place, KeyId: string): Promise<void> {
  await kms(place).send(new RotateKeyOnDemandCommand({ KeyId }));
}

export async function scheduleDeletion(place: Place, KeyId: string, days: number): Promise<void> {
  await kms(place).send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: days }));
}

export async function cancelDeletion(place: Place, KeyId: string): Promise<void> {
  await kms(place).send(new CancelKeyDeletionCommand({ KeyId }));
}

/** The ciphertext in base64, as Lambda's console makes it: it is decrypted with the function's name as context, and no other. */
export async function encryptFor(place: Place, functionName: string, KeyId: string, text: string): Promise<string> {
  const { CiphertextBlob = new Uint8Array() } = await kms(place).send(new EncryptCommand({
    KeyId, Plaintext: new TextEncoder().encode(text), EncryptionContext: { LambdaFunctionName: functionName },
  }));
  return btoa(String.fromCharCode(...CiphertextBlob));
}
