/** A new layer, or another version of one. */

import ContentLayout from "@cloudscape-design/components/content-layout";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useRef } from "react";
import { publishLayer } from "../../api/layers";
import { useConsole } from "../../app/context";
import { addressOf } from "../../app/places";
import { navigate } from "../../app/router";
import { EditForm, type Editing } from "../../components/EditForm";
import { writeZip } from "../../packages/zip";
import { PackageInput } from "../create/PackageInput";
import { RUNTIMES } from "../create/blueprints";
import type { Upload } from "../create/request";
import { type Draft, problemsOf } from "./draft";

const ARCHITECTURES = ["x86_64", "arm64"];

/** `name`: of the layer that gets another version. */
export function CreateLayer({ name }: { name?: string }) {
  const place = useConsole();
  const published = useRef({ name: "", version: 0 });
  const title = name === undefined ? "Create layer" : `Create version of ${name}`;
  const back = addressOf(place.region, name === undefined ? { page: "layers" } : { page: "layer", name });
  return (
    <ContentLayout header={<Header variant="h1">{title}</Header>}>
      <EditForm<Draft>
        title="Layer configuration" action="Create" check={problemsOf}
        start={{ name: name ?? "", description: "", runtimes: [], architectures: [], license: "" }}
        save={async (draft) => {
          const version = await publishLayer(place, { ...draft, zip: draft.zip! });
          published.current = { name: draft.name, version };
        }}
        done={() => `Version ${published.current.version} of the layer ${published.current.name} is created.`}
        onClose={() => navigate(back)}
        saved={() => navigate(addressOf(place.region, { page: "layer", name: published.current.name, version: String(published.current.version) }))}
        form={(editing) => <Fields editing={editing} named={name === undefined} />}
      />
    </ContentLayout>
  );
}

function Fields({ editing: { draft, change, problems }, named }: { editing: Editing<Draft>; named: boolean }) {
  const options = RUNTIMES.map((value) => ({ value, label: value }));
  const take = (upload: Upload | undefined) => change({ upload, zip: upload && ("zip" in upload ? upload.zip : writeZip(upload.files)) });
  return (
    <SpaceBetween size="l">
      {named && (
        <FormField label="Name" errorText={problems.name}>
          <Input value={draft.name} onChange={({ detail }) => change({ name: detail.value.trim() })} />
        </FormField>
      )}
      <FormField label="Description - optional">
        <Input value={draft.description} onChange={({ detail }) => change({ description: detail.value })} />
      </FormField>
      <PackageInput
        label="Contents" description="A zip file, or a folder, which is zipped here. It is at /opt in functions; Python looks in python/, Node.js in nodejs/node_modules/."
        upload={draft.upload} zipSize={draft.zip?.length ?? 0} onChange={take} problem={problems.upload}
      />
      <FormField label="Compatible architectures - optional">
        {ARCHITECTURES.map((each) => (
          <Checkbox
            key={each} checked={draft.architectures.includes(each)}
            onChange={({ detail }) => change({ architectures: ARCHITECTURES.filter((other) => (other === each ? detail.checked : draft.architectures.includes(other))) })}
          >
            {each}
          </Checkbox>
        ))}
      </FormField>
      <FormField label="Compatible runtimes - optional" description="At most 15." errorText={problems.runtimes}>
        <Multiselect
          options={options} selectedOptions={options.filter(({ value }) => draft.runtimes.includes(value))} placeholder="Runtimes"
          onChange={({ detail }) => change({ runtimes: detail.selectedOptions.map(({ value = "" }) => value) })}
          deselectAriaLabel={({ label = "" }) => `Without ${label}`}
        />
      </FormField>
      <FormField label="License - optional" description="A name, its text, or an address.">
        <Input value={draft.license} onChange={({ detail }) => change({ license: detail.value })} />
      </FormField>
    </SpaceBetween>
  );
}
