/** Statements of policy documents. Pure. */

type Names = string | readonly string[];

export interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: string | Readonly<Record<string, Names>>;
  readonly NotPrincipal?: string | Readonly<Record<string, Names>>;
  readonly Action?: Names;
  readonly NotAction?: Names;
  readonly Resource?: Names;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Names>>>>;
}

/** None of what is no document. */
export function statementsOf(document: string | undefined): Statement[] {
  try {
    const { Statement = [] } = JSON.parse(document ?? "") as { Statement?: Statement | Statement[] };
    return Array.isArray(Statement) ? Statement : [Statement];
  } catch {
    return [];
  }
}

export function listed(names: Names | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

/** Whom a statement is about: `s3.amazonaws.com`, ARNs, `Everybody`, or those that it leaves out. */
export function principalsOf({ Principal, NotPrincipal }: Statement): string[] {
  if (NotPrincipal !== undefined) return namesOf(NotPrincipal).map((name) => `not ${name}`);
  return namesOf(Principal);
}

function namesOf(principal: Statement["Principal"]): string[] {
  const names = typeof principal === "string" ? [principal] : Object.values(principal ?? {}).flatMap(listed);
  return names.map((name) => (name === "*" ? "Everybody" : name));
}

/** One line each: `ArnLike AWS:SourceArn: arn:aws:s3:::b`. */
export function conditionsOf({ Condition = {} }: Statement): string[] {
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${operator} ${key}: ${listed(values).join(", ")}`));
}

export function actionsOf({ Action, NotAction }: Statement): string[] {
  return NotAction === undefined ? [...listed(Action)] : listed(NotAction).map((action) => `all but ${action}`);
}

/** With two spaces, as people read it; as it is, if it is none. */
export function prettyDocument(document: string): string {
  try {
    return JSON.stringify(JSON.parse(document), null, 2);
  } catch {
    return document;
  }
}
