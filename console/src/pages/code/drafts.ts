/** Packages that are edited, kept while the page is open: leaving a function loses nothing. */

import { useEffect } from "react";
import { isUnsaved } from "../../app/leaving";
import { type Workspace, changes } from "../../packages/workspace";

export interface Draft {
  readonly workspace: Workspace;
  /** The code that it began with: a deployment by somebody else is noticed by it. */
  readonly codeSha256: string;
}

const drafts = new Map<string, Draft>();

export function draftOf(arn: string): Draft | undefined {
  return drafts.get(arn);
}

export function keepDraft(arn: string, draft: Draft): void {
  drafts.set(arn, draft);
}

export function dropDraft(arn: string): void {
  drafts.delete(arn);
}

/** Has the browser ask before it forgets changes of packages, or in forms. */
export function useLeaveWarning(): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (isUnsaved() || [...drafts.values()].some(({ workspace }) => changes(workspace).size > 0)) event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, []);
}
