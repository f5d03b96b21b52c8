/** What the API answered in place of what was asked for. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import type { Problem } from "../api/errors";

const HEADERS: Record<Problem["kind"], string> = {
  denied: "You are not allowed to do this",
  unreachable: "No connection",
  unreadable: "The server answered something else",
  refused: "That did not work",
};

export function ProblemAlert({ problem, retry, label = "Try again" }: { problem: Problem; retry?: () => void; label?: string }) {
  const action = retry && <Button onClick={retry}>{label}</Button>;
  return (
    <Alert type={problem.kind === "denied" ? "warning" : "error"} header={HEADERS[problem.kind]} action={action}>
      <ProblemText problem={problem} />
    </Alert>
  );
}

export function ProblemText({ problem }: { problem: Problem }) {
  return (
    <>
      {problem.code !== undefined && <Box variant="strong" color="inherit">{problem.code}: </Box>}
      {problem.message}
      {problem.requestId !== undefined && (
        <Box variant="small" display="block" color="inherit">Request {problem.requestId}</Box>
      )}
    </>
  );
}
