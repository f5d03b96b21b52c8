/** The form for the network: a VPC, and what of it. */

import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useCallback } from "react";
import { inside, listVpcs, nameOf } from "../../../api/networks";
import { useConsole } from "../../../app/context";
import type { Editing } from "../../../components/EditForm";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import { Choices } from "./Choices";
import type { Draft } from "./settings";

export function VpcFields(editing: Editing<Draft>) {
  const { draft, change, problems } = editing;
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listVpcs(place), [place]));
  return (
    <Shown loaded={loaded} what="the account's VPCs" reload={reload}>
      {(vpcs) => {
        const options = vpcs.map((vpc) => ({
          value: vpc.VpcId ?? "", label: [vpc.VpcId, nameOf(vpc)].filter(Boolean).join(" - "),
          description: [vpc.CidrBlock, vpc.IsDefault ? "default" : ""].filter(Boolean).join(", "),
        }));
        const chosen = vpcs.find(({ VpcId }) => VpcId === draft.vpc);
        return (
          <>
            <FormField label="VPC" errorText={problems.vpc}>
              <Select
                placeholder="Choose a VPC" empty="The account has no VPC." options={options} filteringType="auto"
                selectedOption={options.find(({ value }) => value === draft.vpc) ?? null}
                onChange={({ detail }) => change({ vpc: detail.selectedOption.value!, subnets: [], groups: [], ipv6: false })}
              />
            </FormField>
            {chosen && <Within key={draft.vpc} vpc={chosen} editing={editing} />}
          </>
        );
      }}
    </Shown>
  );
}

function Within({ vpc, editing }: { vpc: Awaited<ReturnType<typeof listVpcs>>[number]; editing: Editing<Draft> }) {
  const place = useConsole();
  const id = vpc.VpcId ?? "";
  const { loaded, reload } = useLoad(useCallback(() => inside(place, id), [place, id]));
  return (
    <Shown loaded={loaded} what="subnets and security groups" reload={reload}>
      {(found) => <Choices {...editing} vpc={vpc} inside={found} />}
    </Shown>
  );
}
