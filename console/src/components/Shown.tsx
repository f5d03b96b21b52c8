/** What is loaded, once it is there: until then that it is on its way, or why it is not. */

import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import type { ReactNode } from "react";
import { ProblemAlert } from "./ProblemAlert";
import type { Loaded } from "./useLoad";

/** `what` names it within a sentence: "the users". */
export function Shown<T>({ loaded, reload, what, children }: {
  loaded: Loaded<T>; reload: () => void; what: string; children: (value: T) => ReactNode;
}) {
  if (loaded.state === "loading") return <Box><Spinner /> Loading {what}</Box>;
  if (loaded.state === "failed") return <ProblemAlert problem={loaded.problem} retry={reload} />;
  return <>{children(loaded.value)}</>;
}
