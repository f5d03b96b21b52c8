/** Who an access key belongs to, and who somebody becomes with a role. The client of STS is loaded when it is needed first. */

import { type Place, configuration } from "./clients";
import type { Credentials, Session } from "./session";

export interface Identity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

/** Raises what the API answers to a key that it does not know, or a wrong secret. */
export async function signIn(credentials: Credentials, region: string): Promise<Session> {
  const { account, arn } = await whoIs({ session: { account: "", credentials }, region });
  return { account, arn, credentials };
}

export async function whoIs(place: Place): Promise<Identity> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const found = await new STSClient(configuration(place)).send(new GetCallerIdentityCommand({}));
  return { account: found.Account ?? "", arn: found.Arn ?? "", userId: found.UserId ?? "" };
}

/** A session of a role, which remembers whose it was before. */
export async function assumeRole(place: Place, role: string, name: string): Promise<Session> {
  const { STSClient, AssumeRoleCommand } = await import("@aws-sdk/client-sts");
  const { Credentials: found, AssumedRoleUser } = await new STSClient(configuration(place)).send(
    new AssumeRoleCommand({ RoleArn: role, RoleSessionName: name }),
  );
  const credentials = {
    accessKeyId: found?.AccessKeyId ?? "", secretAccessKey: found?.SecretAccessKey ?? "", sessionToken: found?.SessionToken,
  };
  const arn = AssumedRoleUser?.Arn ?? "";
  return { account: arn.split(":")[4] ?? "", arn, credentials, from: place.session };
}
