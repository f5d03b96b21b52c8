/** A new function: from scratch, from a blueprint, or with code that is uploaded. */

import type { Runtime } from "@aws-sdk/client-lambda";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { useMemo, useRef, useState } from "react";
import type { Place } from "../../api/clients";
import { type Problem, failed } from "../../api/errors";
import { createFunction } from "../../api/functions";
import { createBasicRole } from "../../api/roles";
import { openUrl } from "../../api/urls";
import { useConsole } from "../../app/context";
import { isChanged, useUnsaved } from "../../app/leaving";
import { addressOf } from "../../app/places";
import { follow, navigate } from "../../app/router";
import { ProblemAlert, ProblemText } from "../../components/ProblemAlert";
import { writeZip } from "../../packages/zip";
import { BLUEPRINTS, type Blueprint, RUNTIMES, blueprintOf, starter } from "./blueprints";
import { PackageInput } from "./PackageInput";
import { type Form as Filled, type Start, type Upload, problemsOf } from "./request";

const EMPTY: Filled = {
  start: "scratch", name: "", blueprint: BLUEPRINTS[0]!.id, runtime: RUNTIMES[0]!, handler: starter(RUNTIMES[0]!)!.handler,
  roleFrom: "new", role: "", description: "",
};

export function CreatePage() {
  const place = useConsole();
  const { region, notify } = place;
  const [form, setForm] = useState(EMPTY);
  const [upload, setUpload] = useState<Upload>();
  const [tried, setTried] = useState(false);
  const [step, setStep] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  /** Roles that were made before something else went wrong: trying again takes them. */
  const roles = useRef(new Map<string, string>());
  const forget = useUnsaved(isChanged(EMPTY, form) || upload !== undefined);
  const change = (part: Partial<Filled>) => setForm((before) => ({ ...before, ...part }));
  const blueprint = blueprintOf(form.blueprint);
  const uploaded = useMemo(() => upload && ("zip" in upload ? upload.zip : writeZip(upload.files)), [upload]);
  const problems = problemsOf(form, upload, uploaded?.length ?? 0);
  const shown = tried ? problems : {};

  async function create() {
    setTried(true);
    if (Object.keys(problems).length > 0) return;
    setProblem(undefined);
    try {
      await make(place, form, codeOf(form, blueprint, uploaded), blueprint, roles.current, setStep);
      if (form.start === "blueprint" && blueprint.url) await open();
      forget();
      notify("success", `The function ${form.name} is created.`);
      navigate(addressOf(region, { page: "function", name: form.name, tab: "code" }));
    } catch (error) {
      setProblem(failed(error));
    } finally {
      setStep(undefined);
    }
  }

  /** The function is there in any case. */
  async function open() {
    setStep("Opening the URL");
    try {
      notify("info", `The function can be called at ${await openUrl(place, form.name)}`, "Function URL");
    } catch (error) {
      notify("error", <ProblemText problem={failed(error)} />, "The function has no URL that is open");
    }
  }

  return (
    <ContentLayout header={<Header variant="h1">Create function</Header>}>
      <form onSubmit={(event) => { event.preventDefault(); void create(); }}>
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                variant="link" formAction="none" href={addressOf(region, { page: "functions" })} onFollow={(event) => { forget(); follow(event); }}
              >
                Cancel
              </Button>
              <Button variant="primary" loading={step !== undefined} loadingText={step}>Create function</Button>
            </SpaceBetween>
          }
          errorText={Object.keys(shown).length > 0 ? "Something is missing above." : undefined}
        >
          <SpaceBetween size="l">
            {problem && <ProblemAlert problem={problem} />}
            <Starts form={form} change={change} />
            {form.start === "blueprint" && <Blueprints form={form} change={change} />}
            <Container header={<Header variant="h2">Function</Header>}>
              <SpaceBetween size="l">
                <FormField label="Function name" errorText={shown.name}>
                  <Input value={form.name} placeholder="my-function" onChange={({ detail }) => change({ name: detail.value })} />
                </FormField>
                <FormField label="Description - optional">
                  <Input value={form.description} onChange={({ detail }) => change({ description: detail.value })} />
                </FormField>
                <RuntimeInput form={form} change={change} runtimes={form.start === "blueprint" ? blueprint.runtimes : RUNTIMES} />
                {form.start !== "blueprint" && (
                  <FormField label="Handler" description="Where the runtime finds the function to call." errorText={shown.handler}>
                    <Input value={form.handler} onChange={({ detail }) => change({ handler: detail.value })} />
                  </FormField>
                )}
                {form.start === "upload" && (
                  <PackageInput upload={upload} zipSize={uploaded?.length ?? 0} onChange={setUpload} problem={shown.upload} />
                )}
              </SpaceBetween>
            </Container>
            <RoleInput form={form} change={change} problem={shown.role} />
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}

interface Part {
  form: Filled;
  change: (part: Partial<Filled>) => void;
}

function Starts({ form, change }: Part) {
  const begin = (start: Start) => {
    const runtime = start === "blueprint" ? blueprintOf(form.blueprint).runtimes[0]! : form.runtime;
    change({ start, runtime, ...(start === "blueprint" ? {} : handlerFor(runtime)) });
  };
  return (
    <Tiles
      value={form.start}
      ariaLabel="How to begin"
      onChange={({ detail }) => begin(detail.value as Start)}
      items={[
        { value: "scratch", label: "From scratch", description: "Begin with a few lines." },
        { value: "blueprint", label: "From a blueprint", description: "Begin with an example that runs at once." },
        { value: "upload", label: "With your code", description: "Upload a zip file or a folder." },
      ]}
    />
  );
}

function Blueprints({ form, change }: Part) {
  const choose = (id: string) => change({ blueprint: id, runtime: blueprintOf(id).runtimes[0]! });
  return (
    <Container header={<Header variant="h2">Blueprint</Header>}>
      <Tiles
        value={form.blueprint}
        ariaLabel="Blueprint"
        columns={3}
        onChange={({ detail }) => choose(detail.value)}
        items={BLUEPRINTS.map(({ id, title, description }) => ({ value: id, label: title, description }))}
      />
    </Container>
  );
}

function RuntimeInput({ form, change, runtimes }: Part & { runtimes: readonly string[] }) {
  const options = runtimes.map((value) => ({ value, label: value }));
  return (
    <FormField label="Runtime" description="The machine has to have it; ingle runtimes tells which it has.">
      <Select
        selectedOption={options.find(({ value }) => value === form.runtime) ?? null}
        options={options}
        onChange={({ detail }) => {
          const runtime = detail.selectedOption.value!;
          change({ runtime, ...(form.start === "scratch" ? handlerFor(runtime) : {}) });
        }}
      />
    </FormField>
  );
}

function RoleInput({ form, change, problem }: Part & { problem?: string }) {
  return (
    <Container header={<Header variant="h2" description="What the function may do on AWS's API, as a role of IAM.">Execution role</Header>}>
      <SpaceBetween size="m">
        <RadioGroup
          value={form.roleFrom}
          ariaLabel="Execution role"
          onChange={({ detail }) => change({ roleFrom: detail.value as Filled["roleFrom"] })}
          items={[
            { value: "new", label: "Create a role for me", description: "It may write the function's log." },
            { value: "given", label: "Use a role that exists" },
          ]}
        />
        {form.roleFrom === "given" && (
          <FormField label="Role" errorText={problem}>
            <Input
              value={form.role} placeholder="arn:aws:iam::000000000000:role/name"
              onChange={({ detail }) => change({ role: detail.value.trim() })}
            />
          </FormField>
        )}
      </SpaceBetween>
    </Container>
  );
}

function handlerFor(runtime: string): Partial<Filled> {
  const found = starter(runtime);
  return found ? { handler: found.handler } : {};
}

function codeOf(form: Filled, blueprint: Blueprint, uploaded: Uint8Array | undefined): Uint8Array {
  if (form.start === "upload") return uploaded!;
  const chosen = form.start === "blueprint" ? blueprint : starter(form.runtime);
  return writeZip(chosen?.files ?? []);
}

/** All requests that a new function takes. */
async function make(
  place: Place, form: Filled, zip: Uint8Array, blueprint: Blueprint, roles: Map<string, string>, tell: (step: string) => void,
): Promise<void> {
  if (form.roleFrom === "new" && !roles.has(form.name)) {
    tell("Creating the role");
    roles.set(form.name, await createBasicRole(place, form.name));
  }
  const role = form.roleFrom === "new" ? roles.get(form.name) : form.role;
  tell("Creating the function");
  await createFunction(place, {
    FunctionName: form.name, Runtime: form.runtime as Runtime, Role: role, Description: form.description || undefined,
    Handler: form.start === "blueprint" ? blueprint.handler : form.handler, Code: { ZipFile: zip },
  });
}
