/** Chooses a layer's version to attach: of the account's own ones, or by its ARN. */

import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import { listLayerVersions, listLayers } from "../../api/layers";
import { useConsole } from "../../app/context";
import type { Loaded } from "../../components/useLoad";
import { useLoad } from "../../components/useLoad";
import { addProblem, misfit } from "./attached";

interface Picking {
  readonly arn: string;
  readonly onChange: (arn: string) => void;
}

export function LayerPicker({ found, arns, onAdd }: { found: FunctionConfiguration; arns: readonly string[]; onAdd: (arn: string) => void }) {
  const [own, setOwn] = useState(true);
  const [arn, setArn] = useState("");
  const [tried, setTried] = useState(false);
  const problem = tried ? addProblem(arns, arn) : undefined;
  const pick = (chosen: string) => { setArn(chosen); setTried(false); };
  const add = () => {
    if (addProblem(arns, arn) !== undefined) return setTried(true);
    onAdd(arn);
    pick("");
  };
  return (
    <FormField label="Add a layer" errorText={problem} stretch>
      <SpaceBetween size="s">
        <SegmentedControl
          label="Which" selectedId={own ? "own" : "arn"} options={[{ id: "own", text: "Layers of this account" }, { id: "arn", text: "By ARN" }]}
          onChange={({ detail }) => { setOwn(detail.selectedId === "own"); pick(""); }}
        />
        <div className="with-button">
          {own ? <OwnLayers found={found} arn={arn} onChange={pick} /> : (
            <Input
              value={arn} ariaLabel="Layer version ARN" placeholder="arn:aws:lambda:us-east-1:000000000000:layer:name:1"
              onChange={({ detail }) => pick(detail.value.trim())}
            />
          )}
          <Button formAction="none" onClick={add}>Add</Button>
        </div>
      </SpaceBetween>
    </FormField>
  );
}

function OwnLayers({ found, arn, onChange }: Picking & { found: FunctionConfiguration }) {
  const place = useConsole();
  const [name, setName] = useState<string>();
  const { loaded: layers, reload } = useLoad(useCallback(() => listLayers(place), [place]));
  const { loaded: versions, reload: reloadVersions } = useLoad(
    useCallback(async () => (name === undefined ? [] : listLayerVersions(place, name)), [place, name]),
  );
  const layerOptions = valueOf(layers).map(({ LayerName: value = "", LatestMatchingVersion }) => ({ value, label: value, description: LatestMatchingVersion?.Description || undefined }));
  const versionOptions = valueOf(versions).map((version) => ({
    value: version.LayerVersionArn ?? "", label: `${version.Version}`,
    description: [version.Description, misfit(version, found.Runtime ?? "", found.Architectures?.[0] ?? "x86_64")].filter(Boolean).join("; ") || undefined,
  }));
  return (
    <div className="pair">
      <Select
        ariaLabel="Own layer" placeholder="Layer" options={layerOptions} selectedOption={layerOptions.find(({ value }) => value === name) ?? null}
        {...stateOf(layers, reload)} filteringType="auto" filteringAriaLabel="Search layers" empty="No layers"
        onChange={({ detail }) => { setName(detail.selectedOption.value); onChange(""); }}
      />
      <Select
        ariaLabel="Version of the layer" placeholder="Version" options={versionOptions} selectedOption={versionOptions.find(({ value }) => value === arn) ?? null}
        {...stateOf(versions, reloadVersions)} disabled={name === undefined} empty="No versions"
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? "")}
      />
    </div>
  );
}

function valueOf<T>(loaded: Loaded<readonly T[]>): readonly T[] {
  return loaded.state === "ready" ? loaded.value : [];
}

/** As a select shows it. */
function stateOf(loaded: Loaded<unknown>, reload: () => void) {
  return {
    statusType: loaded.state === "failed" ? ("error" as const) : loaded.state === "loading" ? ("loading" as const) : ("finished" as const),
    loadingText: "Loading", errorText: loaded.state === "failed" ? loaded.problem.message : undefined, recoveryText: "Try again",
    onLoadItems: ({ detail }: { detail: { samePage: boolean } }) => { if (detail.samePage) reload(); },
  };
}
