/** Trust policies to begin with. Pure. */

export type Trusted = "lambda" | "account";

export function trustOf(trusted: Trusted, account: string): string {
  const Principal = trusted === "lambda" ? { Service: "lambda.amazonaws.com" } : { AWS: `arn:aws:iam::${account}:root` };
  const Statement = [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }];
  return `${JSON.stringify({ Version: "2012-10-17", Statement }, null, 2)}\n`;
}
