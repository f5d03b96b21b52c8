/** Execution roles made on the way. The client of IAM is loaded when it is needed first. */

import { type Place, configuration } from "./clients";

const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** The ARN of a new role that `functionName` may run with, and that lets it write its log. */
export async function createBasicRole(place: Place, functionName: string): Promise<string> {
  const { IAMClient, CreateRoleCommand, AttachRolePolicyCommand } = await import("@aws-sdk/client-iam");
  const client = new IAMClient(configuration(place));
  const RoleName = roleName(functionName, crypto.getRandomValues(new Uint8Array(4)));
  const made = await client.send(new CreateRoleCommand({ RoleName, Path: "/service-role/", AssumeRolePolicyDocument: TRUST }));
  await client.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: BASIC }));
  return made.Role?.Arn ?? "";
}

/** As AWS's console names them, within the 64 characters that a name may have. */
export function roleName(functionName: string, random: Uint8Array): string {
  const ending = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${functionName.slice(0, 64 - 6 - ending.length)}-role-${ending}`;
}
