/** A group of settings: shown, and edited in place once somebody asks to. */

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { EditForm, type EditFormProps } from "./EditForm";

export type { Editing, Problems } from "./EditForm";

export function Settings<Draft extends object>({ start, closed, edit = "Edit", actions, children, ...form }: EditFormProps<Draft> & {
  /** The draft as it begins, from what is set now. */
  start: () => Draft;
  /** Why nothing can be changed now. */
  closed?: string;
  /** What the button that opens the form says. */
  edit?: string;
  /** Buttons beside it. */
  actions?: ReactNode;
  /** The settings as they are. */
  children: ReactNode;
}) {
  const [opened, setOpened] = useState<Draft>();
  if (opened !== undefined) return <EditForm {...form} start={opened} onClose={() => setOpened(undefined)} />;
  const buttons = (
    <SpaceBetween direction="horizontal" size="xs">
      {actions}
      <Button
        disabled={closed !== undefined} disabledReason={closed} ariaLabel={`${edit} ${form.title}`} onClick={() => setOpened(start())}
      >
        {edit}
      </Button>
    </SpaceBetween>
  );
  return <Container header={<Header variant="h2" description={form.description} actions={buttons}>{form.title}</Header>}>{children}</Container>;
}
