/** Parts that are loaded when they are shown first. */

import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import type { ComponentType } from "react";
import { Failure } from "../api/errors";
import { capital } from "./format";
import { ProblemAlert } from "./ProblemAlert";
import { useLoad } from "./useLoad";

/** `what` names it within a sentence: "the editor". */
export function lazily<Props extends object>(
  what: string, load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  const loadOrTell = async () => {
    try {
      return (await load()).default;
    } catch {
      const message = `${capital(what)} could not be loaded: the server did not answer, or was updated meanwhile.`;
      throw new Failure({ kind: "refused", message });
    }
  };
  return function Lazy(props: Props) {
    const { loaded } = useLoad(loadOrTell);
    if (loaded.state === "failed") {
      // Browsers do not ask for a module again that they could not have once.
      return <ProblemAlert problem={loaded.problem} label="Reload the page" retry={() => location.reload()} />;
    }
    if (loaded.state === "loading") return <Box padding="l"><Spinner /> Loading {what}</Box>;
    const Loaded = loaded.value;
    return <Loaded {...props} />;
  };
}
