/** How asynchronous invocations are tried and where their results go, for each of a function's qualifiers. */

import {
  DeleteFunctionEventInvokeConfigCommand,
  type FunctionEventInvokeConfig,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
  paginateListFunctionEventInvokeConfigs,
} from "@aws-sdk/client-lambda";
import { LATEST } from "../app/places";
import { type Place, lambdaClient } from "./clients";
import { qualifierOf } from "./functions";
import { all } from "./pages";

export const CONDITIONS = ["OnFailure", "OnSuccess"] as const;
export type Condition = (typeof CONDITIONS)[number];
/** ARNs. */
export type Destinations = Partial<Record<Condition, string>>;

export interface EventInvoke {
  readonly qualifier: string;
  /** Absent: AWS's default holds. */
  readonly retries?: number;
  /** Seconds. */
  readonly age?: number;
  readonly destinations: Destinations;
}

export async function eventInvokes(place: Place, name: string): Promise<EventInvoke[]> {
  const asked = paginateListFunctionEventInvokeConfigs({ client: lambdaClient(place) }, { FunctionName: name });
  return (await all(asked, (page) => page.FunctionEventInvokeConfigs)).map(fromApi);
}

function fromApi({ FunctionArn, MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig }: FunctionEventInvokeConfig): EventInvoke {
  const destinations: Destinations = {};
  for (const condition of CONDITIONS) {
    const arn = DestinationConfig?.[condition]?.Destination;
    if (arn) destinations[condition] = arn;
  }
  return { qualifier: qualifierOf({ FunctionArn }) ?? LATEST, retries: MaximumRetryAttempts, age: MaximumEventAgeInSeconds, destinations };
}

/** What is absent in `wanted` stays as it is. `exists`: whether the qualifier has settings already. */
export async function changeEventInvoke(
  place: Place, name: string, qualifier: string, exists: boolean, wanted: Partial<Omit<EventInvoke, "qualifier">>,
): Promise<void> {
  const Command = exists ? UpdateFunctionEventInvokeConfigCommand : PutFunctionEventInvokeConfigCommand;
  const { retries, age, destinations } = wanted;
  await lambdaClient(place).send(new Command({
    FunctionName: name, Qualifier: qualifier, MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: age,
    DestinationConfig: destinations && Object.fromEntries(CONDITIONS.map((each) => [each, { Destination: destinations[each] }])),
  }));
}

/** The settings of a qualifier as a whole: the defaults hold again, and results go nowhere. */
export async function removeEventInvoke(place: Place, name: string, qualifier: string): Promise<void> {
  await lambdaClient(place).send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: name, Qualifier: qualifier }));
}
