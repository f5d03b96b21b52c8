/** The machine that functions run on, over all accounts. */

import type { Place } from "./clients";
import { type Host, ingle } from "./ingle";

export type { Host };
export type Check = Host["Checks"][number];
export type Runtime = Host["Runtimes"][number];

export function describeHost(place: Place): Promise<Host> {
  return ingle(place, "DescribeHost", {});
}
