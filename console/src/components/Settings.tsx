/** A group of settings: shown, and edited in place once somebody asks to. */

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { useConsole } from "../app/context";
import { ProblemAlert } from "./ProblemAlert";
import { useAction } from "./useAction";

/** What a form of settings is given: the draft, how to change it, and what is wrong with which of its fields. */
export interface Editing<Draft> {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly problems: Problems<Draft>;
}

export type Problems<Draft> = Partial<Record<keyof Draft, string>>;

export function Settings<Draft extends object>({ title, description, start, check, save, saved, closed, actions, form, children }: {
  title: string;
  description?: ReactNode;
  /** The draft as it begins, from what is set now. */
  start: () => Draft;
  /** What the draft has that cannot be sent. The API judges the rest. */
  check?: (draft: Draft) => Problems<Draft>;
  save: (draft: Draft) => Promise<unknown>;
  /** Called, and said, once it is saved. */
  saved: () => void;
  /** Why nothing can be changed now. */
  closed?: string;
  /** Buttons beside Edit. */
  actions?: ReactNode;
  form: (editing: Editing<Draft>) => ReactNode;
  /** The settings as they are. */
  children: ReactNode;
}) {
  const { notify } = useConsole();
  const [draft, setDraft] = useState<Draft>();
  const [tried, setTried] = useState(false);
  const { busy, problem, run, forget } = useAction();
  const header = (buttons: ReactNode) => (
    <Header variant="h2" description={description} actions={<SpaceBetween direction="horizontal" size="xs">{buttons}</SpaceBetween>}>
      {title}
    </Header>
  );
  const close = () => { setDraft(undefined); setTried(false); forget(); };

  if (draft === undefined) {
    const edit = (
      <Button disabled={closed !== undefined} disabledReason={closed} ariaLabel={`Edit ${title}`} onClick={() => setDraft(start())}>Edit</Button>
    );
    return <Container header={header(<>{actions}{edit}</>)}>{children}</Container>;
  }
  const problems = check?.(draft) ?? {};
  const submit = async () => {
    setTried(true);
    if (Object.keys(problems).length > 0 || !(await run(() => save(draft)))) return;
    close();
    notify("success", `${title}: saved.`);
    saved();
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      <Container header={header(null)}>
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" disabled={busy} onClick={close}>Cancel</Button>
              <Button variant="primary" loading={busy}>Save</Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {problem && <ProblemAlert problem={problem} />}
            {form({ draft, change: (part) => setDraft({ ...draft, ...part }), problems: tried ? problems : {} })}
          </SpaceBetween>
        </Form>
      </Container>
    </form>
  );
}
