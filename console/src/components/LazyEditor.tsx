import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import type { ComponentProps } from "react";
import { Failure } from "../api/errors";
import type Editor from "../pages/code/Editor";
import { ProblemAlert } from "./ProblemAlert";
import { useLoad } from "./useLoad";

async function load() {
  try {
    return await import("../pages/code/Editor");
  } catch {
    throw new Failure({
      kind: "refused", message: "The editor could not be loaded: the server did not answer, or was updated meanwhile.",
    });
  }
}

/** The editor, which is loaded when it is shown first. */
export function LazyEditor(props: ComponentProps<typeof Editor>) {
  const { loaded } = useLoad(load);
  if (loaded.state === "failed") {
    // Browsers do not ask for a module again that they could not have once.
    return <ProblemAlert problem={loaded.problem} label="Reload the page" retry={() => location.reload()} />;
  }
  if (loaded.state === "loading") return <Box padding="l"><Spinner /> Loading the editor</Box>;
  const { default: Loaded } = loaded.value;
  return <Loaded {...props} />;
}
