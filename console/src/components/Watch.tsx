/** A group that is still being loaded, or could not be, in the place of what it will be. */

import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import type { ReactNode } from "react";
import { ProblemAlert } from "./ProblemAlert";
import type { Watched } from "./useWatched";

/** `what` names it within a sentence: "the tags". What was shown before a problem stays, below it. */
export function Watch<T>({ title, what, watched: { value, problem, reload }, children }: {
  title: string; what: string; watched: Watched<T>; children: (value: T) => ReactNode;
}) {
  const alert = problem && <ProblemAlert problem={problem} retry={reload} />;
  if (value !== undefined) return alert ? <SpaceBetween size="m">{alert}{children(value)}</SpaceBetween> : children(value);
  return (
    <Container header={<Header variant="h2">{title}</Header>}>
      {alert ?? <Box><Spinner /> Loading {what}</Box>}
    </Container>
  );
}
