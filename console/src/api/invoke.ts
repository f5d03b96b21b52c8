/** Invocations, each told while it goes on: what a streamed one has sent so far, then what became of it. */

import { InvokeCommand, InvokeWithResponseStreamCommand } from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";

export type Way = "RequestResponse" | "Event" | "DryRun" | "Stream";

export interface Outcome {
  readonly status: number;
  /** `Unhandled` or the like, where the function failed. */
  readonly functionError?: string;
  readonly version?: string;
  readonly payload: string;
  readonly log: string;
  readonly requestId?: string;
}

interface Invocation {
  readonly name: string;
  /** A version or an alias. */
  readonly qualifier?: string;
  readonly way: Way;
  readonly event: string;
  readonly signal: AbortSignal;
  /** Told all text that a stream has brought so far. */
  readonly onText: (text: string) => void;
}

export function invoke(place: Place, invocation: Invocation): Promise<Outcome> {
  return invocation.way === "Stream" ? streamed(place, invocation) : whole(place, invocation, invocation.way);
}

async function whole(place: Place, { name, qualifier, event, signal }: Invocation, way: Exclude<Way, "Stream">): Promise<Outcome> {
  const answer = await lambdaClient(place).send(
    new InvokeCommand({
      FunctionName: name, Qualifier: qualifier, InvocationType: way, Payload: new TextEncoder().encode(event),
      LogType: way === "RequestResponse" ? "Tail" : undefined,
    }),
    { abortSignal: signal },
  );
  return {
    status: answer.StatusCode ?? 0, functionError: answer.FunctionError, version: answer.ExecutedVersion,
    payload: text(answer.Payload), log: decoded(answer.LogResult), requestId: answer.$metadata.requestId,
  };
}

async function streamed(place: Place, { name, qualifier, event, signal, onText }: Invocation): Promise<Outcome> {
  const answer = await lambdaClient(place).send(
    new InvokeWithResponseStreamCommand({
      FunctionName: name, Qualifier: qualifier, Payload: new TextEncoder().encode(event), LogType: "Tail",
    }),
    { abortSignal: signal },
  );
  const decoder = new TextDecoder();
  let payload = "", log = "", functionError: string | undefined;
  for await (const part of answer.EventStream ?? []) {
    if (part.PayloadChunk) {
      payload += decoder.decode(part.PayloadChunk.Payload, { stream: true });
      onText(payload);
    } else if (part.InvokeComplete) {
      log = decoded(part.InvokeComplete.LogResult);
      functionError = part.InvokeComplete.ErrorCode;
      if (functionError) payload += part.InvokeComplete.ErrorDetails ?? "";
    }
  }
  return {
    status: answer.StatusCode ?? 0, functionError, version: answer.ExecutedVersion, payload, log,
    requestId: answer.$metadata.requestId,
  };
}

/** Where an answer has no body (204), the SDK gives something else than bytes. */
function text(bytes: unknown): string {
  return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : "";
}

/** Base64 of UTF-8, as log tails are. */
export function decoded(base64: string | undefined): string {
  return base64 ? text(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))) : "";
}
