/** Ingle's own service: what AWS has no operation for, and so no package of the SDK. docs/reference/ingle-service.md
 *  describes it. Requests are signed by the SDK's own signer, and refused ones raise what the SDK's clients raise. */

import { Sha256 } from "@smithy/core/checksum";
import { HttpRequest } from "@smithy/core/protocols";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Place } from "./clients";

const SERVICE = "ingle";
const CONTENT_TYPE = "application/x-amz-json-1.1";

export type EnvironmentState = "starting" | "initializing" | "idle" | "busy" | "frozen" | "resetting" | "stopping";
export type InitializationType = "on-demand" | "provisioned-concurrency" | "snap-start";

export interface Environment {
  readonly EnvironmentId: string;
  readonly FunctionArn: string;
  readonly FunctionName: string;
  readonly Version: string;
  readonly Runtime: string;
  readonly State: EnvironmentState;
  readonly InitializationType: InitializationType;
  readonly Provisioned: boolean;
  /** Restored from a snapshot. */
  readonly SnapStart: boolean;
  /** Others are copies of it, and it serves nobody. */
  readonly SnapshotTemplate: boolean;
  readonly StartedAt: Date;
  /** Seconds. */
  readonly Age: number;
  readonly LastUsedAt?: Date;
  readonly Invocations: number;
  /** MB, as configured. */
  readonly MemorySize: number;
  /** Bytes; absent where nothing counts them. */
  readonly MemoryUsed?: number;
  readonly MemoryPeak?: number;
  readonly LogGroupName: string;
  readonly LogStreamName: string;
}

export interface FunctionConcurrency {
  readonly FunctionName: string;
  /** Absent without a reserve. */
  readonly Reserved?: number;
  readonly InUse: number;
  readonly Provisioned: readonly ProvisionedConcurrency[];
}

export interface ProvisionedConcurrency {
  readonly Version: string;
  readonly Requested: number;
  readonly Allocated: number;
  readonly Available: number;
  readonly InUse: number;
  readonly Status: "IN_PROGRESS" | "READY" | "FAILED";
  readonly StatusReason?: string;
}

export interface AuditRecord {
  readonly EventId: string;
  readonly OccurredAt: Date;
  /** Of Lambda's operations, with the version of the API behind the name. */
  readonly EventName: string;
  readonly EventSource: string;
  readonly ReadOnly: boolean;
  readonly Region: string;
  /** Absent for a caller who was not believed. */
  readonly PrincipalArn?: string;
  readonly AccessKeyId?: string;
  readonly SourceIpAddress?: string;
  readonly RequestId: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
  /** All of it, JSON. */
  readonly Record: string;
}

export interface AsyncEvent {
  /** The request id of its invocations. */
  readonly EventId: string;
  readonly FunctionArn: string;
  readonly State: "waiting" | "running" | "retrying" | "delivering";
  readonly AcceptedAt: Date;
  /** When it is looked at next. */
  readonly DueAt: Date;
  readonly Attempts: number;
  readonly Refusals: number;
  readonly Condition?: string;
  readonly Destinations: readonly string[];
}

export interface Check {
  readonly Subject: string;
  readonly State: "ok" | "weaker" | "missing";
  readonly Detail: string;
  readonly Consequence?: string;
}

/** Sizes are bytes, times to live seconds. */
export interface Host {
  readonly Version: string;
  readonly StartedAt: Date;
  readonly Uptime: number;
  readonly Isolation: "root" | "user" | "process";
  /** What `ingle doctor` tells; empty where the machine cannot be looked at. */
  readonly Checks: readonly Check[];
  readonly CheckedAt?: Date;
  readonly Problems: readonly string[];
  readonly Runtimes: readonly { readonly Runtime: string; readonly Version: string; readonly Libraries?: string }[];
  /** Of all accounts, by state. */
  readonly Environments: Readonly<Record<string, number>>;
  readonly Processors: number;
  readonly Memory: { readonly Total: number; readonly Available: number; readonly Server: number };
  readonly Disk: { readonly Total: number; readonly Free: number; readonly Reserve: number; readonly Full: boolean };
}

export interface TestEvent {
  readonly EventName: string;
  /** Bytes. */
  readonly Size: number;
  readonly LastModifiedAt: Date;
}

interface Page {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

interface Listed {
  readonly NextToken?: string;
}

interface NamedEvent {
  readonly FunctionName: string;
  readonly EventName: string;
}

type Lists =
  "ListEnvironments" | "DescribeConcurrency" | "ListAsyncEvents" | "ListAuditRecords" | "ListTestEvents";

/** What each operation takes, and what it answers. */
export interface Operations {
  ListEnvironments: {
    input: Page & { readonly FunctionName?: string };
    output: Listed & { readonly Environments: readonly Environment[] };
  };
  /** Functions: those with reserved or provisioned concurrency, and those that run now. */
  DescribeConcurrency: {
    input: Page & { readonly FunctionName?: string };
    output: Listed & {
      readonly Limit: number; readonly Claimed: number; readonly Unreserved: number;
      readonly InUse: number; readonly UnreservedInUse: number;
      readonly Functions: readonly FunctionConcurrency[];
    };
  };
  /** Of the whole machine; a first look takes a second or more. */
  DescribeHost: { input: Readonly<Record<string, never>>; output: Host };
  /** Pages may be short or empty, and not the last all the same. */
  ListAsyncEvents: {
    input: Page & { readonly FunctionName: string };
    output: Listed & { readonly AsyncEvents: readonly AsyncEvent[] };
  };
  /** Pages may be short or empty, and not the last all the same. */
  ListAuditRecords: {
    input: Page & {
      readonly StartTime?: Date; readonly EndTime?: Date; readonly EventName?: string; readonly EventSource?: string;
      readonly PrincipalArn?: string; readonly ErrorCode?: string; readonly Outcome?: "SUCCESS" | "FAILURE";
      readonly ReadOnly?: boolean;
    };
    output: Listed & { readonly Recording: boolean; readonly Records: readonly AuditRecord[] };
  };
  PutTestEvent: { input: NamedEvent & { readonly Event: string }; output: TestEvent };
  GetTestEvent: { input: NamedEvent; output: TestEvent & { readonly Event: string } };
  ListTestEvents: {
    input: Page & { readonly FunctionName: string };
    output: Listed & { readonly TestEvents: readonly TestEvent[] };
  };
  DeleteTestEvent: { input: NamedEvent; output: Readonly<Record<string, never>> };
}

/** Named and shaped as errors of the SDK's clients are. */
export class IngleError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly $fault: "client" | "server",
    readonly $metadata: { readonly httpStatusCode: number; readonly requestId?: string },
  ) {
    super(message);
  }
}

/** The answer to one call. Raises IngleError, and what `fetch` raises. */
export async function ingle<Name extends keyof Operations>(
  place: Place, operation: Name, input: Operations[Name]["input"], signal?: AbortSignal,
): Promise<Operations[Name]["output"]> {
  const request = await signed(place, operation, written(input));
  // The browser sets the host itself.
  const { host: _, ...headers } = request.headers;
  const { body } = request;
  const answer = await fetch(`${location.origin}/`, {
    method: "POST", headers, body, signal, cache: "no-store", credentials: "omit",
  });
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer, text);
  return read(text, answer.status) as Operations[Name]["output"];
}

/** All pages of a list, one after another. */
export async function* pages<Name extends Lists>(
  place: Place, operation: Name, input: Operations[Name]["input"], signal?: AbortSignal,
): AsyncGenerator<Operations[Name]["output"]> {
  let NextToken: string | undefined;
  do {
    const page: Operations[Name]["output"] = await ingle(place, operation, { ...input, NextToken }, signal);
    yield page;
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
}

async function signed({ session, region }: Place, operation: string, body: string) {
  const url = new URL(location.origin);
  const signer = new SignatureV4({ service: SERVICE, region, credentials: session.credentials, sha256: Sha256 });
  return signer.sign(new HttpRequest({
    method: "POST",
    protocol: url.protocol,
    hostname: url.hostname,
    path: "/",
    headers: { host: url.host, "content-type": CONTENT_TYPE, "x-amz-target": `Ingle.${operation}` },
    body,
  }));
}

function refusal(answer: Response, text: string): Error {
  const content = read(text, answer.status) as { __type?: string; message?: string; Message?: string };
  const type = answer.headers.get("x-amzn-errortype") ?? content.__type;
  if (type === undefined) return unreadable("no error code", answer.status);
  const requestId = answer.headers.get("x-amzn-requestid") ?? undefined;
  const code = type.split(":")[0]!.split("#").pop()!;
  const fault = answer.status < 500 ? "client" : "server";
  return new IngleError(code, content.message ?? content.Message ?? "", fault, { httpStatusCode: answer.status, requestId });
}

/** Times are seconds since the epoch. */
function written(input: object): string {
  const plain = Object.entries(input).map(([name, value]) => [name, value instanceof Date ? value.getTime() / 1000 : value]);
  return JSON.stringify(Object.fromEntries(plain));
}

/** Times of answers are in members whose names end so and in no others. */
function read(text: string, status: number): unknown {
  try {
    return JSON.parse(text || "{}", (name, value) =>
      typeof value === "number" && name.endsWith("At") ? new Date(value * 1000) : value);
  } catch (error) {
    throw unreadable((error as Error).message, status);
  }
}

function unreadable(message: string, statusCode: number): Error {
  return Object.assign(new SyntaxError(message), { $response: { statusCode } });
}
