/** Layers, their versions, and who may use them. */

import {
  AddLayerVersionPermissionCommand,
  type Architecture,
  DeleteLayerVersionCommand,
  type FunctionConfiguration,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  type GetLayerVersionResponse,
  type LayerVersionsListItem,
  type LayersListItem,
  PublishLayerVersionCommand,
  RemoveLayerVersionPermissionCommand,
  type Runtime,
  paginateListFunctions,
  paginateListLayerVersions,
  paginateListLayers,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import { problemOf } from "./errors";
import { fetchPackage } from "./functions";
import { all } from "./pages";
import { listed, statementsOf } from "./statements";

export type { GetLayerVersionResponse, LayerVersionsListItem, LayersListItem };

export interface NewLayerVersion {
  readonly name: string;
  readonly description: string;
  readonly zip: Uint8Array;
  readonly runtimes: readonly string[];
  readonly architectures: readonly string[];
  readonly license: string;
}

/** The policy as it is kept: JSON, of which the parts are that AWS makes. */
export interface Grant {
  readonly sid: string;
  /** An ARN, an account, or `*`. */
  readonly principal: string;
  readonly organization?: string;
}

export function listLayers(place: Place): Promise<LayersListItem[]> {
  return all(paginateListLayers({ client: lambdaClient(place) }, {}), ({ Layers }) => Layers);
}

/** Newest first. */
export function listLayerVersions(place: Place, name: string): Promise<LayerVersionsListItem[]> {
  return all(paginateListLayerVersions({ client: lambdaClient(place) }, { LayerName: name }), ({ LayerVersions }) => LayerVersions);
}

export function getLayerVersion(place: Place, name: string, version: number): Promise<GetLayerVersionResponse> {
  return lambdaClient(place).send(new GetLayerVersionCommand({ LayerName: name, VersionNumber: version }));
}

export async function downloadLayer(place: Place, name: string, version: number): Promise<Uint8Array> {
  return fetchPackage((await getLayerVersion(place, name, version)).Content?.Location ?? "");
}

/** The number of the version. */
export async function publishLayer(place: Place, layer: NewLayerVersion): Promise<number> {
  const made = await lambdaClient(place).send(new PublishLayerVersionCommand({
    LayerName: layer.name, Description: layer.description || undefined, Content: { ZipFile: layer.zip },
    CompatibleRuntimes: layer.runtimes.length > 0 ? ([...layer.runtimes] as Runtime[]) : undefined,
    CompatibleArchitectures: layer.architectures.length > 0 ? ([...layer.architectures] as Architecture[]) : undefined,
    LicenseInfo: layer.license || undefined,
  }));
  return made.Version ?? 0;
}

export async function deleteLayerVersion(place: Place, name: string, version: number): Promise<void> {
  await lambdaClient(place).send(new DeleteLayerVersionCommand({ LayerName: name, VersionNumber: version }));
}

export async function layerGrants(place: Place, name: string, version: number): Promise<Grant[]> {
  try {
    const found = await lambdaClient(place).send(new GetLayerVersionPolicyCommand({ LayerName: name, VersionNumber: version }));
    return grantsOf(found.Policy);
  } catch (error) {
    // So is answered, where nobody was permitted anything.
    if (problemOf(error).code === "ResourceNotFoundException") return [];
    throw error;
  }
}

export function grantsOf(policy: string | undefined): Grant[] {
  return statementsOf(policy).map(({ Sid = "", Principal, Condition }) => {
    const [principal = ""] = typeof Principal === "string" ? [Principal] : listed(Principal?.AWS);
    const [organization] = listed(Condition?.StringEquals?.["aws:PrincipalOrgID"]);
    return { sid: Sid, principal, ...(organization === undefined ? {} : { organization }) };
  });
}

export async function addLayerGrant(place: Place, name: string, version: number, { sid, principal, organization }: Grant): Promise<void> {
  await lambdaClient(place).send(new AddLayerVersionPermissionCommand({
    LayerName: name, VersionNumber: version, StatementId: sid, Action: "lambda:GetLayerVersion", Principal: principal,
    OrganizationId: organization || undefined,
  }));
}

export async function removeLayerGrant(place: Place, name: string, version: number, sid: string): Promise<void> {
  await lambdaClient(place).send(new RemoveLayerVersionPermissionCommand({ LayerName: name, VersionNumber: version, StatementId: sid }));
}

/** Functions of the region, and published versions of them, that attach a layer's version, as they are found; and how many were looked at. */
export async function* layerUsers(place: Place, arn: string): AsyncGenerator<{ looked: number; found: FunctionConfiguration[] }> {
  let looked = 0;
  for await (const { Functions = [] } of paginateListFunctions({ client: lambdaClient(place) }, { FunctionVersion: "ALL", MaxItems: 50 })) {
    looked += Functions.length;
    yield { looked, found: Functions.filter(({ Layers = [] }) => Layers.some(({ Arn }) => Arn === arn)) };
  }
}
