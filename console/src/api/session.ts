/** Who calls, and where: what every client of the API is made from. Owns how much of it is remembered, and where. */

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Session {
  /** 12 digits. */
  readonly account: string;
  readonly credentials: Credentials;
  /** The caller's ARN, where the server checks who calls. */
  readonly arn?: string;
  /** Whose it was before a role was switched to. */
  readonly from?: Session;
}

export const DEFAULT_ACCOUNT = "000000000000";
export const DEFAULT_REGION = "us-east-1";

const SIGNED_IN = "ingle.session";
const ACCOUNT = "ingle.account";

export function isAccount(text: string): boolean {
  return /^[0-9]{12}$/.test(text);
}

export function isRegion(text: string): boolean {
  return /^[a-z]{2}[a-z0-9-]{1,40}$/.test(text);
}

/** Without authentication an access key id of 12 digits is the account. */
export function anybody(account: string): Session {
  return { account, credentials: { accessKeyId: account, secretAccessKey: "anything" } };
}

export function chosenAccount(): string {
  const stored = localStorage.getItem(ACCOUNT) ?? "";
  return isAccount(stored) ? stored : DEFAULT_ACCOUNT;
}

export function chooseAccount(account: string): void {
  localStorage.setItem(ACCOUNT, account);
}

/** A session that its owner asked to keep until the tab is closed. */
export function keptSession(): Session | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(SIGNED_IN) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

export function isKept(): boolean {
  return sessionStorage.getItem(SIGNED_IN) !== null;
}

export function keepSession(session: Session): void {
  sessionStorage.setItem(SIGNED_IN, JSON.stringify(session));
}

export function forgetSession(): void {
  sessionStorage.removeItem(SIGNED_IN);
}
