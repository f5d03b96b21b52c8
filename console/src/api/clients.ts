/** The AWS SDK's clients for one session and region, all of them at this page's own origin. */

import { LambdaClient } from "@aws-sdk/client-lambda";
import type { Session } from "./session";

export interface Place {
  readonly session: Session;
  readonly region: string;
}

/** A try again would hide throttles and errors, and would run functions twice. */
export function configuration({ session, region }: Place) {
  return { endpoint: location.origin, region, credentials: session.credentials, maxAttempts: 1 };
}

const clients = new WeakMap<Session, Map<string, LambdaClient>>();

export function lambdaClient(place: Place): LambdaClient {
  const ofSession = clients.get(place.session) ?? new Map<string, LambdaClient>();
  clients.set(place.session, ofSession);
  const client = ofSession.get(place.region) ?? new LambdaClient(configuration(place));
  ofSession.set(place.region, client);
  return client;
}
