/** Whether a function that calls itself again and again is stopped. */

import type { RecursiveLoop } from "@aws-sdk/client-lambda";
import FormField from "@cloudscape-design/components/form-field";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import RadioGroup from "@cloudscape-design/components/radio-group";
import { useCallback } from "react";
import { recursionOf, setRecursion } from "../../../api/concurrency";
import { useConsole } from "../../../app/context";
import { Settings } from "../../../components/Settings";
import { Watch } from "../../../components/Watch";
import { useWatched } from "../../../components/useWatched";

const TITLE = "Recursive loop detection";

export function Recursion({ name }: { name: string }) {
  const place = useConsole();
  const watched = useWatched(useCallback(() => recursionOf(place, name), [place, name]));
  return (
    <Watch title={TITLE} what="the recursion setting" watched={watched}>
      {(loop) => (
        <Settings<{ readonly loop: RecursiveLoop }>
          title={TITLE} start={() => ({ loop })} save={(draft) => setRecursion(place, name, draft.loop)} saved={watched.reload}
          form={({ draft, change }) => (
            <FormField label="Recursive loops">
              <RadioGroup
                value={draft.loop} onChange={({ detail }) => change({ loop: detail.value as RecursiveLoop })}
                items={[
                  { value: "Terminate", label: "Terminate", description: "The function is stopped when it is called for the 17th time on one way." },
                  { value: "Allow", label: "Allow", description: "For functions that are meant to come back to themselves." },
                ]}
              />
            </FormField>
          )}
        >
          <KeyValuePairs items={[{ label: "Recursive loops", value: loop }]} />
        </Settings>
      )}
    </Watch>
  );
}
