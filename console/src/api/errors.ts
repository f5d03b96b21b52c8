/** What went wrong with a call, in words for people. The API's own text is never replaced. */

import { reportUnreachable } from "./connection";
import { reportEnded } from "./ending";

export type Kind = "denied" | "unreachable" | "unreadable" | "refused";

export interface Problem {
  readonly kind: Kind;
  /** The API's error code, where there is one. */
  readonly code?: string;
  readonly message: string;
  readonly requestId?: string;
}

/** Something that went wrong here, and not in an answer. */
export class Failure extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

const DENIED = /^(AccessDenied|UnauthorizedOperation|AuthorizationError)/;
/** In the spellings of the protocols: an expired token; a key that is deleted or deactivated, a session that was revoked. */
const ENDED = /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId)/;

interface Raised {
  name?: string;
  message?: string;
  Message?: string;
  $fault?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { statusCode?: number };
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Failure) return error.problem;
  const raised = (typeof error === "object" && error !== null ? error : { message: String(error) }) as Raised;
  const requestId = raised.$metadata?.requestId;
  const message = raised.message || raised.Message || "";
  if (raised.$fault !== undefined && raised.name !== undefined && raised.name !== "Error" && raised.name !== "Unknown") {
    const kind = DENIED.test(raised.name) ? "denied" : "refused";
    return { kind, code: raised.name, message: message || raised.name, requestId };
  }
  if (isUnreachable(raised)) {
    return { kind: "unreachable", message: "The server does not answer." };
  }
  const status = raised.$response?.statusCode ?? raised.$metadata?.httpStatusCode;
  const answered = status === undefined ? "" : ` (status ${status})`;
  return { kind: "unreadable", message: `The answer${answered} cannot be understood: ${message || raised.name}`, requestId };
}

/** Whether the credentials are no longer, or never were, any that the server takes. */
export function isEnded({ code = "" }: Problem): boolean {
  return ENDED.test(code);
}

/** As `problemOf`, and has the whole page know of a server that does not answer, and of a session that is over. */
export function failed(error: unknown): Problem {
  const problem = problemOf(error);
  if (problem.kind === "unreachable") reportUnreachable();
  if (isEnded(problem)) reportEnded();
  return problem;
}

/** Browsers say it each in their own words, and all as a TypeError without an answer. */
function isUnreachable(raised: Raised): boolean {
  const answered = raised.$response?.statusCode ?? raised.$metadata?.httpStatusCode;
  return answered === undefined && (raised.name === "TypeError" || raised.name === "TimeoutError") &&
    /fetch|network|load failed/i.test(raised.message ?? "");
}
