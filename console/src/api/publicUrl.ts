/** What a policy has to say for everybody to use a function URL. Pure. Names are those that AWS's console gives. */

import { type Statement, conditionsOf, listed, principalsOf, statementsOf } from "./statements";

export interface Grant {
  readonly StatementId: string;
  readonly Principal: "*";
  readonly Action: string;
  readonly FunctionUrlAuthType?: "NONE";
  readonly InvokedViaFunctionUrl?: boolean;
}

/** Both are needed. The condition is the only one with which a statement still means everybody. */
const NEEDED: readonly (readonly [grant: Grant, condition: string])[] = [
  [
    { StatementId: "FunctionURLAllowPublicAccess", Principal: "*", Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: "NONE" },
    "StringEquals lambda:FunctionUrlAuthType: NONE",
  ],
  [
    { StatementId: "FunctionURLInvokeAllowPublicAccess", Principal: "*", Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true },
    "Bool lambda:InvokedViaFunctionUrl: true",
  ],
];

/** Under names that the document has not taken. */
export function missingGrants(document: string | undefined): Grant[] {
  const statements = statementsOf(document);
  const taken = new Set(statements.map(({ Sid }) => Sid));
  return NEEDED
    .filter(([grant, condition]) => !statements.some((statement) => grants(statement, grant.Action, condition)))
    .map(([grant]) => ({ ...grant, StatementId: free(grant.StatementId, taken) }));
}

function grants(statement: Statement, action: string, condition: string): boolean {
  return statement.Effect === "Allow" && principalsOf(statement).includes("Everybody") &&
    listed(statement.Action).some((each) => [action, "lambda:*", "*"].includes(each)) &&
    conditionsOf(statement).every((each) => each === condition);
}

function free(name: string, taken: ReadonlySet<string | undefined>): string {
  let found = name;
  for (let number = 2; taken.has(found); number++) found = `${name}-${number}`;
  return found;
}
