/** What every section of the configuration is given. */

import type { FunctionConfiguration } from "../../api/functions";
import { isSettled } from "../function/useFunction";

export interface SectionProps {
  readonly found: FunctionConfiguration;
  /** Has the function read again, after a change. */
  readonly reload: () => void;
}

/** Why the configuration cannot be changed now. */
export function closedNow(found: FunctionConfiguration): string | undefined {
  return isSettled(found) ? undefined : "A change before this one is still being made.";
}
