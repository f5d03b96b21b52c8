/** Policy documents as IAM has them: JSON, percent-encoded in answers. Pure. */

import { prettyDocument } from "../statements";

/** What is read from an answer, indented. */
export function documentText(encoded: string | undefined): string {
  return prettyDocument(decodeURIComponent(encoded ?? ""));
}

/** Who a trust policy lets in, in a few words: `lambda.amazonaws.com`, an ARN, an account. */
export function trustedBy(document: string): string[] {
  const found: unknown = parsed(document);
  if (!isRecord(found)) return [];
  const statements = listed(found.Statement).filter(isRecord).filter(({ Effect }) => Effect === "Allow");
  const principals = statements.flatMap(({ Principal }) => (isRecord(Principal) ? Object.values(Principal).flatMap(listed) : listed(Principal)));
  return [...new Set(principals.filter((each): each is string => typeof each === "string"))].map(short);
}

/** Why a text is no policy document, before the API says more. */
export function documentProblem(text: string): string | undefined {
  try {
    return isRecord(JSON.parse(text)) ? undefined : "A policy is a JSON object.";
  } catch (error) {
    return `The policy is not JSON: ${error instanceof Error ? error.message : error}`;
  }
}

function short(principal: string): string {
  const root = /^arn:aws:iam::(\d{12}):root$/.exec(principal);
  return root ? `account ${root[1]}` : principal;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
