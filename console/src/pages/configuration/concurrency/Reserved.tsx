/** The function's reserve in its account's pool; and throttling it, which is a reserve of nothing. */

import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type Provisioned, reserveConcurrency } from "../../../api/concurrency";
import type { Problem } from "../../../api/errors";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { type Problems, Settings } from "../../../components/Settings";
import { Watch } from "../../../components/Watch";
import { wholeNumbers } from "../../../components/numbers";
import type { Watched } from "../../../components/useWatched";
import { PoolBar } from "./PoolBar";
import { type Limits, sharesOf } from "./pool";

const TITLE = "Concurrency";
/** The API says better what is too much. */
const ANY = 1_000_000;

interface Draft {
  readonly own: boolean;
  readonly count: string;
}

/** The pool is the account's: who may not see it may still see, and set, the function's reserve. */
export interface Reserve {
  readonly reserved?: number;
  readonly pool?: Limits;
  readonly problem?: Problem;
}

export function Reserved({ name, reserve, provisioned }: { name: string; reserve: Watched<Reserve>; provisioned?: readonly Provisioned[] }) {
  const place = useConsole();
  return (
    <Watch title={TITLE} what="the concurrency" watched={reserve}>
      {({ reserved, pool, problem }) => {
        // A reserve counts as a whole, whatever of it is provisioned.
        const counted = reserved === undefined ? provisioned : [];
        const shares = pool && counted && sharesOf(pool, reserved, counted);
        return (
          <Settings<Draft>
            title={TITLE}
            start={() => ({ own: reserved !== undefined, count: `${reserved ?? 0}` })}
            check={({ own, count }): Problems<Draft> => (own ? wholeNumbers({ count: [count, 0, ANY] }) : {})}
            save={({ own, count }) => reserveConcurrency(place, name, own ? Number(count) : undefined)}
            saved={reserve.reload}
            actions={reserved !== 0 && (
              <ConfirmButton
                header="Throttle the function" question="Its reserved concurrency becomes 0, and every invocation is refused until that is changed."
                run={() => reserveConcurrency(place, name, 0)} done="The function is throttled." after={reserve.reload}
              >
                Throttle
              </ConfirmButton>
            )}
            form={({ draft, change, problems }) => (
              <>
                <FormField label="Concurrency">
                  <RadioGroup
                    value={draft.own ? "own" : "account"} onChange={({ detail }) => change({ own: detail.value === "own" })}
                    items={[
                      { value: "account", label: `Use unreserved account concurrency${pool ? `: ${pool.unreserved}` : ""}` },
                      { value: "own", label: "Reserve concurrency", description: "Kept for this function, and the most that it can have. 0 throttles it." },
                    ]}
                  />
                </FormField>
                {draft.own && (
                  <FormField
                    label="Reserved concurrency" errorText={problems.count}
                    description={shares && `At most ${shares.most}: ${Math.min(100, shares.limit)} have to stay unreserved.`}
                  >
                    <Input value={draft.count} inputMode="numeric" onChange={({ detail }) => change({ count: detail.value })} />
                  </FormField>
                )}
              </>
            )}
          >
            <SpaceBetween size="m">
              {reserved === 0 && <Alert type="warning">The function is throttled: nothing invokes it until it may run again.</Alert>}
              <KeyValuePairs items={[{
                label: "Function concurrency", value: reserved === undefined ? "Use unreserved account concurrency" : `Reserved: ${reserved}`,
              }]} />
              {shares && <PoolBar shares={shares} />}
              {problem && <ProblemAlert problem={problem} retry={reserve.reload} />}
            </SpaceBetween>
          </Settings>
        );
      }}
    </Watch>
  );
}
