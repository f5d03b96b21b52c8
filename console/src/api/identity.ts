/** Who an access key belongs to. The client of STS is loaded when it is needed first. */

import { configuration } from "./clients";
import type { Credentials, Session } from "./session";

/** Raises what the API answers to a key that it does not know, or a wrong secret. */
export async function signIn(credentials: Credentials, region: string): Promise<Session> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const client = new STSClient(configuration({ session: { account: "", credentials }, region }));
  const found = await client.send(new GetCallerIdentityCommand({}));
  return { account: found.Account ?? "", arn: found.Arn, credentials };
}
