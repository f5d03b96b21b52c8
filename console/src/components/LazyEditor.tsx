import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import { type ComponentProps, Suspense, lazy } from "react";

const Editor = lazy(() => import("../pages/code/Editor"));

/** The editor, which is loaded when it is shown first. */
export function LazyEditor(props: ComponentProps<typeof Editor>) {
  return (
    <Suspense fallback={<Box padding="l"><Spinner /> Loading the editor</Box>}>
      <Editor {...props} />
    </Suspense>
  );
}
