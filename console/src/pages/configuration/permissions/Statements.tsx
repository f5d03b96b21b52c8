/** The statements of a policy, in a table. */

import Box from "@cloudscape-design/components/box";
import Table from "@cloudscape-design/components/table";
import { removePermission } from "../../../api/policies";
import { type Statement, actionsOf, conditionsOf, principalsOf } from "../../../api/statements";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import type { Subject } from "../holders";

export function Statements({ subject, statements, revision, changed }: {
  subject: Subject; statements: readonly Statement[]; revision?: string; changed: () => void;
}) {
  const place = useConsole();
  const removal = ({ Sid }: Statement) => (
    <ConfirmButton
      icon="remove" name={`Remove statement ${Sid}`} header={`Remove statement ${Sid}`} question="What it allows is not allowed any more."
      run={() => removePermission(place, subject.name, subject.qualifier, Sid!, revision)} done={`The statement ${Sid} is removed.`} after={changed}
    >
      Remove
    </ConfirmButton>
  );
  return (
    <Table
      variant="embedded"
      wrapLines
      stickyColumns={{ last: 1 }}
      ariaLabels={{ tableLabel: "Statements" }}
      items={statements}
      empty={<Box>No statements</Box>}
      columnDefinitions={[
        { id: "sid", header: "Statement ID", isRowHeader: true, cell: ({ Sid }) => Sid ?? "-" },
        { id: "principal", header: "Principal", cell: (each) => <Lines of={principalsOf(each)} /> },
        { id: "conditions", header: "Conditions", cell: (each) => <Lines of={conditionsOf(each)} /> },
        { id: "action", header: "Action", cell: (each) => <Lines of={actionsOf(each).map((action) => `${each.Effect} ${action}`)} /> },
        // Without a name it can only be taken out of the document.
        { id: "remove", header: "Remove", cell: (each) => (each.Sid === undefined ? "-" : removal(each)) },
      ]}
    />
  );
}

function Lines({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <>-</>;
  return <>{of.map((line) => <div key={line}>{line}</div>)}</>;
}
