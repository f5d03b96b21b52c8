/** A form for settings, or for something new, in place of what it changes. */

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { useConsole } from "../app/context";
import { isChanged, useUnsaved } from "../app/leaving";
import { ProblemAlert } from "./ProblemAlert";
import { useAction } from "./useAction";

/** What a form is given: the draft, how to change it, and what is wrong with which of its fields. */
export interface Editing<Draft> {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly problems: Problems<Draft>;
}

export type Problems<Draft> = Partial<Record<keyof Draft, string>>;

export interface EditFormProps<Draft> {
  title: string;
  description?: ReactNode;
  /** What the button says. */
  action?: string;
  /** What is said once it is done, which may depend on the answer; the title with "saved", if nothing else. */
  done?: string | (() => string);
  /** What the draft has that cannot be sent. The API judges the rest. */
  check?: (draft: Draft) => Problems<Draft>;
  save: (draft: Draft) => Promise<unknown>;
  /** Called, after `onClose`, once it is saved. */
  saved: () => void;
  form: (editing: Editing<Draft>) => ReactNode;
}

/** `start` is the draft as it begins. */
export function EditForm<Draft extends object>(
  { title, description, action = "Save", done = `${title}: saved.`, start, check, save, saved, form, onClose }:
    EditFormProps<Draft> & { start: Draft; onClose: () => void },
) {
  const { notify } = useConsole();
  const [draft, setDraft] = useState(start);
  const [tried, setTried] = useState(false);
  const { busy, problem, run } = useAction();
  const problems = check?.(draft) ?? {};
  const forget = useUnsaved(isChanged(start, draft));
  const close = () => { forget(); onClose(); };
  const submit = async () => {
    setTried(true);
    if (Object.keys(problems).length > 0 || !(await run(() => save(draft)))) return;
    close();
    notify("success", typeof done === "string" ? done : done());
    saved();
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      <Container header={<Header variant="h2" description={description}>{title}</Header>}>
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" disabled={busy} onClick={close}>Cancel</Button>
              <Button variant="primary" loading={busy}>{action}</Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {problem && <ProblemAlert problem={problem} />}
            <div className="fields">
              {form({ draft, change: (part) => setDraft((before) => ({ ...before, ...part })), problems: tried ? problems : {} })}
            </div>
          </SpaceBetween>
        </Form>
      </Container>
    </form>
  );
}
