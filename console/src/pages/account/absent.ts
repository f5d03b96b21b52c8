/** Pages of what is not there. Pure. */

import type { Loaded } from "../../components/useLoad";

/** IAM and KMS say so; then nothing else on the page could be read either. */
export function isAbsent(loaded: Loaded<unknown>): boolean {
  return loaded.state === "failed" && /^(NoSuchEntity|NotFoundException)/.test(loaded.problem.code ?? "");
}
