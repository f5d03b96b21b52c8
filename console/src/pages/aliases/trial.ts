/** What many invocations came to. Pure. */

import type { Problem } from "../../api/errors";

export interface Tried {
  readonly sum: number;
  /** Not answered yet, or never sent because somebody stopped it. */
  readonly left: number;
  /** Answers by the version that ran. */
  readonly versions: ReadonlyMap<string, number>;
  /** Answers that are errors of the function; they are among those of its version. */
  readonly errors: number;
  /** Not answered by a version. */
  readonly refused: number;
  /** Why the last of these was. */
  readonly problem?: Problem;
}

export function begun(sum: number): Tried {
  return { sum, left: sum, versions: new Map(), errors: 0, refused: 0 };
}

export function answered(tried: Tried, version: string, isError: boolean): Tried {
  const versions = new Map(tried.versions).set(version, (tried.versions.get(version) ?? 0) + 1);
  return { ...tried, left: tried.left - 1, versions, errors: tried.errors + (isError ? 1 : 0) };
}

export function refused(tried: Tried, problem: Problem): Tried {
  return { ...tried, left: tried.left - 1, refused: tried.refused + 1, problem };
}

/** `Of 20 invocations version 1 answered 14, version 2 answered 6.` */
export function countsText({ sum, left, versions, errors, refused }: Tried): string {
  const sent = sum - left;
  const parts = [...versions].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true })).map(([version, count]) => `version ${version} answered ${count}`);
  if (refused > 0) parts.push(`${refused} got no answer`);
  const failed = errors === 0 ? "" : errors === 1 ? " One answer is an error." : ` ${errors} answers are errors.`;
  return `Of ${sent === 1 ? "1 invocation" : `${sent} invocations`} ${parts.join(", ") || "nothing was answered"}.${failed}`;
}
