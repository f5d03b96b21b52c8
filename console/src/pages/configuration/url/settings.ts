/** The settings of a function URL as a form has them. Pure. */

import type { FunctionUrlConfig, UrlSettings } from "../../../api/urls";
import type { Problems } from "../../../components/EditForm";
import { wholeNumbers } from "../../../components/numbers";

export interface Draft {
  readonly authType: "NONE" | "AWS_IAM";
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  readonly cors: boolean;
  /** Lists of words, one on each line. */
  readonly origins: string;
  readonly headers: string;
  readonly exposed: string;
  readonly methods: readonly string[];
  readonly maxAge: string;
  readonly credentials: boolean;
}

export const METHODS = ["*", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

export const EMPTY: Draft = {
  authType: "AWS_IAM", invokeMode: "BUFFERED", cors: false, origins: "*", headers: "", exposed: "", methods: [], maxAge: "0", credentials: false,
};

export function draftOf({ AuthType = "AWS_IAM", InvokeMode = "BUFFERED", Cors }: FunctionUrlConfig): Draft {
  const kept = { ...EMPTY, authType: AuthType, invokeMode: InvokeMode };
  if (!hasCors(Cors)) return kept;
  return {
    ...kept, cors: true, origins: lines(Cors.AllowOrigins), headers: lines(Cors.AllowHeaders), exposed: lines(Cors.ExposeHeaders),
    methods: Cors.AllowMethods ?? [], maxAge: `${Cors.MaxAge ?? 0}`, credentials: Cors.AllowCredentials ?? false,
  };
}

/** Without CORS, the empty rules, which take away those that were there. */
export function settingsOf(draft: Draft): UrlSettings {
  const cors = {
    AllowOrigins: words(draft.origins), AllowMethods: some(draft.methods), AllowHeaders: words(draft.headers), ExposeHeaders: words(draft.exposed),
    MaxAge: Number(draft.maxAge), AllowCredentials: draft.credentials,
  };
  return { AuthType: draft.authType, InvokeMode: draft.invokeMode, Cors: draft.cors ? cors : {} };
}

export function check(draft: Draft): Problems<Draft> {
  return draft.cors ? wholeNumbers({ maxAge: [draft.maxAge, 0, 86400] }) : {};
}

/** What CORS allows, as `[label, value]`; nothing, where there is none. */
export function corsOf({ Cors }: FunctionUrlConfig): (readonly [label: string, value: string])[] {
  if (!hasCors(Cors)) return [];
  const listed = (values: readonly string[] | undefined) => (values?.length ? values.join(", ") : "-");
  return [
    ["Allow origin", listed(Cors.AllowOrigins)], ["Allow methods", listed(Cors.AllowMethods)], ["Allow headers", listed(Cors.AllowHeaders)],
    ["Expose headers", listed(Cors.ExposeHeaders)], ["Max age", `${Cors.MaxAge ?? 0} s`], ["Allow credentials", Cors.AllowCredentials ? "Yes" : "No"],
  ];
}

function hasCors(cors: FunctionUrlConfig["Cors"]): cors is NonNullable<FunctionUrlConfig["Cors"]> {
  return cors !== undefined && Object.values(cors).some((value) => value !== undefined);
}

function lines(values: readonly string[] | undefined): string {
  return (values ?? []).join("\n");
}

function words(text: string): string[] | undefined {
  return some(text.split(/[\s,]+/).filter(Boolean));
}

function some(values: readonly string[]): string[] | undefined {
  return values.length > 0 ? [...values] : undefined;
}
