/** Concurrency of a function: what it reserves, and what its versions have provisioned. */

import {
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionRecursionConfigCommand,
  type ProvisionedConcurrencyStatusEnum,
  PutFunctionConcurrencyCommand,
  PutFunctionRecursionConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  type RecursiveLoop,
} from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";
import { listProvisioned } from "./versions";

export interface Provisioned {
  readonly qualifier: string;
  readonly requested: number;
  readonly allocated: number;
  readonly available: number;
  readonly status: ProvisionedConcurrencyStatusEnum;
  readonly reason?: string;
}

/** `undefined`: it runs in what is unreserved. */
export async function reservedConcurrency(place: Place, name: string): Promise<number | undefined> {
  return (await lambdaClient(place).send(new GetFunctionConcurrencyCommand({ FunctionName: name }))).ReservedConcurrentExecutions;
}

export async function reserveConcurrency(place: Place, name: string, reserved: number | undefined): Promise<void> {
  const client = lambdaClient(place);
  if (reserved === undefined) await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: name }));
  else await client.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: reserved }));
}

export async function provisionedConcurrency(place: Place, name: string): Promise<Provisioned[]> {
  return [...(await listProvisioned(place, name))].map(([qualifier, config]) => ({
    qualifier, requested: config.RequestedProvisionedConcurrentExecutions ?? 0,
    allocated: config.AllocatedProvisionedConcurrentExecutions ?? 0, available: config.AvailableProvisionedConcurrentExecutions ?? 0,
    status: config.Status ?? "IN_PROGRESS", reason: config.StatusReason,
  }));
}

export async function provision(place: Place, name: string, qualifier: string, requested: number): Promise<void> {
  await lambdaClient(place).send(
    new PutProvisionedConcurrencyConfigCommand({ FunctionName: name, Qualifier: qualifier, ProvisionedConcurrentExecutions: requested }),
  );
}

export async function unprovision(place: Place, name: string, qualifier: string): Promise<void> {
  await lambdaClient(place).send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: name, Qualifier: qualifier }));
}

export async function recursionOf(place: Place, name: string): Promise<RecursiveLoop> {
  return (await lambdaClient(place).send(new GetFunctionRecursionConfigCommand({ FunctionName: name }))).RecursiveLoop ?? "Terminate";
}

export async function setRecursion(place: Place, name: string, loop: RecursiveLoop): Promise<void> {
  await lambdaClient(place).send(new PutFunctionRecursionConfigCommand({ FunctionName: name, RecursiveLoop: loop }));
}
