/** What every section of the configuration is given. */

import { type FunctionConfiguration, qualifierOf } from "../../api/functions";
import { isSettled } from "../function/useFunction";

export interface SectionProps {
  readonly found: FunctionConfiguration;
  /** Has the function read again, after a change. */
  readonly reload: () => void;
}

/** Why the configuration cannot be changed now, or at all: a version stays as it was published. */
export function closedNow(found: FunctionConfiguration): string | undefined {
  if (qualifierOf(found) !== undefined) return "A version stays as it was published: choose $LATEST to change the function.";
  return isSettled(found) ? undefined : "A change before this one is still being made.";
}
