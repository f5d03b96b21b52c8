/** How often a key's material is made anew. */

import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useCallback } from "react";
import { type Rotation as Found, rotateNow, rotationOf, setRotation } from "../../../api/keys";
import { useConsole } from "../../../app/context";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Settings } from "../../../components/Settings";
import { Shown } from "../../../components/Shown";
import { Time } from "../../../components/Time";
import { wholeNumbers } from "../../../components/numbers";
import { useAction } from "../../../components/useAction";
import { useLoad } from "../../../components/useLoad";

interface Draft {
  readonly on: boolean;
  readonly days: string;
}

export function Rotation({ id }: { id: string }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => rotationOf(place, id), [place, id]));
  return <Shown loaded={loaded} reload={reload} what="the rotation">{(found) => <Rotated id={id} found={found} reload={reload} />}</Shown>;
}

function Rotated({ id, found, reload }: { id: string; found: Found; reload: () => void }) {
  const place = useConsole();
  const { busy, problem, run } = useAction();
  const now = async () => {
    if (!(await run(() => rotateNow(place, id)))) return;
    place.notify("success", "The key is rotated.");
    reload();
  };
  return (
    <Settings<Draft>
      title="Rotation" description="What was encrypted before stays readable."
      start={() => ({ on: found.KeyRotationEnabled ?? false, days: `${found.RotationPeriodInDays ?? 365}` })}
      check={({ on, days }) => (on ? wholeNumbers({ days: [days, 90, 2560] }) : {})}
      save={({ on, days }) => setRotation(place, id, on ? Number(days) : undefined)} saved={reload}
      actions={<Button loading={busy} onClick={() => void now()}>Rotate now</Button>}
      form={({ draft, change, problems }) => (
        <>
          <Checkbox checked={draft.on} onChange={({ detail }) => change({ on: detail.checked })}>Rotate by itself</Checkbox>
          {draft.on && (
            <FormField label="Days between rotations" description="90 to 2560." errorText={problems.days}>
              <Input value={draft.days} inputMode="numeric" onChange={({ detail }) => change({ days: detail.value })} />
            </FormField>
          )}
        </>
      )}
    >
      {problem && <ProblemAlert problem={problem} />}
      <KeyValuePairs
        columns={3}
        items={[
          { label: "Automatic rotation", value: found.KeyRotationEnabled ? "On" : "Off" },
          { label: "Period", value: found.KeyRotationEnabled ? `${found.RotationPeriodInDays} days` : "-" },
          { label: "Next rotation", value: found.NextRotationDate ? <Time at={found.NextRotationDate} /> : "-" },
        ]}
      />
    </Settings>
  );
}
