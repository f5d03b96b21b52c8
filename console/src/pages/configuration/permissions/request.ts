/** Statements that are added by form: what is filled in, what is wrong with it, and what it becomes. Pure. */

import type { Permission } from "../../../api/policies";
import type { Problems } from "../../../components/EditForm";

export type Kind = "url" | "service" | "account";

export interface Draft {
  readonly kind: Kind;
  readonly id: string;
  /** The id of one of SERVICES. */
  readonly service: string;
  /** Of an account, a caller of the URL, or a service that the list does not have. */
  readonly principal: string;
  readonly action: string;
  readonly sourceArn: string;
  readonly sourceAccount: string;
  readonly organization: string;
  /** Alexa's skill. */
  readonly token: string;
  readonly authType: "NONE" | "AWS_IAM";
}

export interface Service {
  readonly id: string;
  readonly title: string;
  /** Undefined where it is to be typed. */
  readonly principal?: string;
}

export const SERVICES: readonly Service[] = [
  { id: "alexa", title: "Alexa", principal: "alexa-appkit.amazon.com" },
  { id: "apigateway", title: "API Gateway", principal: "apigateway.amazonaws.com" },
  { id: "alb", title: "Application Load Balancer", principal: "elasticloadbalancing.amazonaws.com" },
  { id: "alarms", title: "CloudWatch Alarms", principal: "lambda.alarms.cloudwatch.amazonaws.com" },
  { id: "logs", title: "CloudWatch Logs", principal: "logs.amazonaws.com" },
  { id: "codecommit", title: "CodeCommit", principal: "codecommit.amazonaws.com" },
  { id: "cognito", title: "Cognito", principal: "cognito-idp.amazonaws.com" },
  { id: "config", title: "Config", principal: "config.amazonaws.com" },
  { id: "events", title: "EventBridge", principal: "events.amazonaws.com" },
  { id: "iot", title: "IoT", principal: "iot.amazonaws.com" },
  { id: "s3", title: "S3", principal: "s3.amazonaws.com" },
  { id: "ses", title: "SES", principal: "ses.amazonaws.com" },
  { id: "sns", title: "SNS", principal: "sns.amazonaws.com" },
  { id: "other", title: "Other" },
];

export const ACTIONS = [
  "lambda:InvokeFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction", "lambda:PublishVersion",
  "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:*",
];

/** The names that AWS's console gives. */
const PUBLIC = "FunctionURLAllowPublicAccess";
const PUBLIC_INVOKE = "FunctionURLInvokeAllowPublicAccess";

export const EMPTY: Draft = {
  kind: "service", id: "", service: "s3", principal: "", action: "lambda:InvokeFunction", sourceArn: "", sourceAccount: "", organization: "",
  token: "", authType: "NONE",
};

/** What changes with the kind besides. */
export function ofKind(kind: Kind): Partial<Draft> {
  return { kind, id: kind === "url" ? PUBLIC : "", action: "lambda:InvokeFunction" };
}

export function serviceOf(draft: Draft): Service {
  return SERVICES.find(({ id }) => id === draft.service) ?? SERVICES[0]!;
}

/** Whether somebody has to be named. */
export function needsPrincipal(draft: Draft): boolean {
  if (draft.kind === "service") return serviceOf(draft).principal === undefined;
  return draft.kind === "account" || draft.authType === "AWS_IAM";
}

export function check(draft: Draft): Problems<Draft> {
  const problems: Problems<Draft> = {};
  if (draft.id.trim() === "") problems.id = "A statement needs an id.";
  if (needsPrincipal(draft) && draft.principal.trim() === "") problems.principal = "Say who may do this.";
  if (draft.kind !== "url" && draft.action.trim() === "") problems.action = "Say what they may do.";
  return problems;
}

/** In the order in which they are added: both or none. */
export function permissionsOf(draft: Draft): Permission[] {
  const StatementId = draft.id.trim();
  const given = { StatementId, Principal: principalOf(draft), Action: draft.action.trim() };
  switch (draft.kind) {
    case "service":
      return [{ ...given, SourceArn: text(draft.sourceArn), SourceAccount: text(draft.sourceAccount), EventSourceToken: tokenOf(draft) }];
    case "account":
      return [{ ...given, PrincipalOrgID: text(draft.organization) }];
    case "url":
      return [
        { ...given, Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: draft.authType },
        { ...given, StatementId: invokeId(StatementId), Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true },
      ];
  }
}

/** Of the statement that goes with one for a function URL. */
export function invokeId(id: string): string {
  return id === PUBLIC ? PUBLIC_INVOKE : `${id}-invoke`;
}

function principalOf(draft: Draft): string {
  if (draft.kind === "url" && draft.authType === "NONE") return "*";
  return (draft.kind === "service" && serviceOf(draft).principal) || draft.principal.trim();
}

function tokenOf(draft: Draft): string | undefined {
  return draft.service === "alexa" ? text(draft.token) : undefined;
}

function text(given: string): string | undefined {
  return given.trim() || undefined;
}
