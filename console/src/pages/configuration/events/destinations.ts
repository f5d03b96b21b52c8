/** Where results of asynchronous invocations can go. Pure. Sources of rules: the API's constraints of DestinationConfig. */

import type { Condition, Destinations, EventInvoke } from "../../../api/eventInvoke";

export const CONDITION_TITLES: Record<Condition, string> = { OnFailure: "On failure", OnSuccess: "On success" };

export interface Kind {
  readonly title: string;
  /** What an ARN of it begins with, behind `arn:aws:`. */
  readonly service: string;
  readonly example: string;
  readonly conditions: readonly Condition[];
}

const ALWAYS: readonly Condition[] = ["OnFailure", "OnSuccess"];

export const KINDS = {
  sns: { title: "SNS topic", service: "sns", example: "arn:aws:sns:REGION:ACCOUNT:TOPIC", conditions: ALWAYS },
  sqs: { title: "SQS queue", service: "sqs", example: "arn:aws:sqs:REGION:ACCOUNT:QUEUE", conditions: ALWAYS },
  lambda: { title: "Lambda function", service: "lambda", example: "arn:aws:lambda:REGION:ACCOUNT:function:NAME", conditions: ALWAYS },
  events: { title: "EventBridge event bus", service: "events", example: "arn:aws:events:REGION:ACCOUNT:event-bus/NAME", conditions: ALWAYS },
  s3: { title: "S3 bucket", service: "s3", example: "arn:aws:s3:::BUCKET", conditions: ["OnFailure"] },
} as const satisfies Record<string, Kind>;
export type KindId = keyof typeof KINDS;

export function kindOf(arn: string): KindId | undefined {
  const service = arn.split(":")[2] ?? "";
  return Object.hasOwn(KINDS, service) ? (service as KindId) : undefined;
}

/** What is wrong with an ARN of a kind. The API looks closer. */
export function arnProblem(arn: string, kind: Kind): string | undefined {
  return new RegExp(`^arn:aws[a-z-]*:${kind.service}:\\S+$`).test(arn) ? undefined : `Give an ARN like ${kind.example}.`;
}

export interface Route {
  readonly qualifier: string;
  readonly condition: Condition;
  readonly arn: string;
}

export function routesOf(all: readonly EventInvoke[]): Route[] {
  return all.flatMap(({ qualifier, destinations }) =>
    (Object.keys(CONDITION_TITLES) as Condition[]).flatMap((condition) => {
      const arn = destinations[condition];
      return arn === undefined ? [] : [{ qualifier, condition, arn }];
    }),
  );
}

/** The settings that stay once a destination is gone; `undefined` if they are none. */
export function without({ retries, age, destinations }: EventInvoke, condition: Condition): Destinations | undefined {
  const { [condition]: _, ...left } = destinations;
  return retries === undefined && age === undefined && Object.keys(left).length === 0 ? undefined : left;
}
