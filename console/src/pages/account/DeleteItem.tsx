/** Deletes what a page is about, and goes back to the list. */

import type { ReactNode } from "react";
import { useConsole } from "../../app/context";
import { type AccountSection, addressOf } from "../../app/places";
import { navigate } from "../../app/router";
import { ConfirmButton } from "../../components/ConfirmButton";

export function DeleteItem({ section, what, name, run, children }: {
  section: AccountSection;
  /** Within a sentence: "user". */
  what: string;
  name: string;
  run: () => Promise<unknown>;
  /** What goes with it. */
  children: ReactNode;
}) {
  const { region } = useConsole();
  return (
    <ConfirmButton
      header={`Delete ${what} ${name}`} question={children} run={run} done={`The ${what} ${name} is deleted.`}
      after={() => navigate(addressOf(region, { page: "account", section }))}
    >
      Delete
    </ConfirmButton>
  );
}
