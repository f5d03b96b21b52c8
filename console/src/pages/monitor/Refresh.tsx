/** Has figures read again, now or every now and then. */

import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { choose, useQuery } from "../../app/router";
import { capital } from "../../components/format";
import { INTERVALS, intervalOf } from "./section";

const NAMES: Readonly<Record<number, string>> = { 0: "off", 10: "every 10 seconds", 60: "every minute" };

export function Refresh({ busy, reload }: { busy: boolean; reload: () => void }) {
  const every = intervalOf(useQuery());
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button iconName="refresh" ariaLabel="Refresh" loading={busy} onClick={reload} />
      <ButtonDropdown
        items={INTERVALS.map((each) => ({ id: `${each}`, text: capital(NAMES[each]!), itemType: "checkbox", checked: each === every }))}
        onItemClick={({ detail }) => choose({ refresh: detail.id === "0" ? undefined : detail.id }, { replace: true })}
      >
        Refresh: {NAMES[every]}
      </ButtonDropdown>
    </SpaceBetween>
  );
}
