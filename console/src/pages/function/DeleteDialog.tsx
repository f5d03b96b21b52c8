/** Deletes functions, once somebody typed that this is meant. What could not be deleted is listed with the reason. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { type Problem, failed } from "../../api/errors";
import { deleteFunction } from "../../api/functions";
import { useConsole } from "../../app/context";
import { Dialog } from "../../components/Dialog";
import { ProblemText } from "../../components/ProblemAlert";

const WORD = "delete";
/** Requests at one time. */
const ABREAST = 4;
const MOST_NAMED = 8;

export function DeleteDialog({ names, onClose }: { names: readonly string[]; onClose: (changed: boolean) => void }) {
  const place = useConsole();
  const [typed, setTyped] = useState("");
  const [done, setDone] = useState<number>();
  const [problems, setProblems] = useState<ReadonlyMap<string, Problem>>(new Map());
  const what = names.length === 1 ? `function ${names[0]}` : `${names.length} functions`;

  async function run() {
    setDone(0);
    const refused = new Map<string, Problem>();
    const waiting = [...names];
    let finished = 0;
    const work = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        try {
          await deleteFunction(place, name);
        } catch (error) {
          refused.set(name, failed(error));
        }
        setDone(++finished);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
    if (refused.size < names.length) {
      const deleted = names.length - refused.size;
      place.notify("success", deleted === 1 && names.length === 1 ? `The function ${names[0]} is deleted.` : `${deleted} functions are deleted.`);
    }
    if (refused.size === 0) onClose(true);
    else setProblems(refused);
  }

  const over = problems.size > 0;
  const running = done !== undefined && !over;
  return (
    <Dialog
      header={`Delete ${what}`}
      cancel={over ? "Close" : "Cancel"}
      busy={running}
      action={!over && <Button variant="primary" disabled={typed !== WORD} loading={running} onClick={run}>Delete</Button>}
      onClose={() => onClose(over)}
    >
      <SpaceBetween size="m">
        {over ? (
          <Refused problems={problems} />
        ) : (
          <>
            <Alert type="warning">
              All versions and aliases go with {names.length === 1 ? "it" : "them"}. This cannot be undone.
            </Alert>
            <Box>{names.slice(0, MOST_NAMED).join(", ")}{names.length > MOST_NAMED && ` and ${names.length - MOST_NAMED} more`}</Box>
            <FormField label={`To confirm, type ${WORD}`}>
              <Input
                value={typed} placeholder={WORD} autoFocus disabled={running} onChange={({ detail }) => setTyped(detail.value)}
                onKeyDown={({ detail }) => detail.key === "Enter" && typed === WORD && !running && void run()}
              />
            </FormField>
            {running && names.length > 1 && (
              <ProgressBar label="Deleting" value={(done / names.length) * 100} additionalInfo={`${done} of ${names.length}`} />
            )}
          </>
        )}
      </SpaceBetween>
    </Dialog>
  );
}

function Refused({ problems }: { problems: ReadonlyMap<string, Problem> }) {
  return (
    <Alert type="error" header={problems.size === 1 ? "One function is not deleted" : `${problems.size} functions are not deleted`}>
      <ul>
        {[...problems].slice(0, MOST_NAMED).map(([name, problem]) => (
          <li key={name}><b>{name}</b>: <ProblemText problem={problem} /></li>
        ))}
      </ul>
    </Alert>
  );
}
