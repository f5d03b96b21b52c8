/** The client of IAM. Only parts that are loaded when they are shown first may import what is in this directory. */

import { IAMClient } from "@aws-sdk/client-iam";
import { type Place, configuration } from "../clients";
import type { Session } from "../session";

const clients = new WeakMap<Session, IAMClient>();

export function iamClient(place: Place): IAMClient {
  const client = clients.get(place.session) ?? new IAMClient(configuration(place));
  clients.set(place.session, client);
  return client;
}
