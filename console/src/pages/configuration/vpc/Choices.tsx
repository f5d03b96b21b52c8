/** Subnets and security groups of a VPC that is chosen, and what comes of them. */

import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Multiselect from "@cloudscape-design/components/multiselect";
import { type Inside, type Subnet, type Vpc, nameOf } from "../../../api/networks";
import type { Editing } from "../../../components/EditForm";
import { Effect } from "./Effect";
import { type Draft, ipv6Range } from "./settings";

export function Choices({ draft, change, problems, vpc, inside }: Editing<Draft> & { vpc: Vpc; inside: Inside }) {
  const subnets = inside.subnets.map((subnet) => ({
    value: subnet.SubnetId ?? "", label: [subnet.SubnetId, nameOf(subnet)].filter(Boolean).join(" - "), description: about(subnet),
  }));
  const groups = inside.groups.map(({ GroupId = "", GroupName, Description }) => ({
    value: GroupId, label: `${GroupId} - ${GroupName}`, description: Description,
  }));
  const without = inside.subnets.filter((subnet) => draft.subnets.includes(subnet.SubnetId ?? "") && ipv6Range(subnet) === undefined);
  return (
    <>
      <FormField label="Subnets" description="Each invocation uses one of them. Several in different zones outlast a zone." errorText={problems.subnets}>
        <Multiselect
          placeholder="Choose subnets" empty="The VPC has no subnet." options={subnets} filteringType="auto"
          selectedOptions={inOrder(draft.subnets, subnets)} deselectAriaLabel={({ label }) => `Remove ${label}`}
          onChange={({ detail }) => change({ subnets: detail.selectedOptions.map(({ value }) => value!) })}
        />
      </FormField>
      <FormField label="Security groups" description="Their outbound rules say what the function may connect to." errorText={problems.groups}>
        <Multiselect
          placeholder="Choose security groups" options={groups} filteringType="auto"
          selectedOptions={inOrder(draft.groups, groups)} deselectAriaLabel={({ label }) => `Remove ${label}`}
          onChange={({ detail }) => change({ groups: detail.selectedOptions.map(({ value }) => value!) })}
        />
      </FormField>
      <Checkbox
        checked={draft.ipv6} onChange={({ detail }) => change({ ipv6: detail.checked })}
        description={without.length > 0 ? `Not possible with ${without.map(({ SubnetId }) => SubnetId).join(", ")}: without an IPv6 range.` : "Every subnet has to have an IPv6 range."}
      >
        Allow IPv6 traffic for dual-stack subnets
      </Checkbox>
      {draft.subnets.length > 0 && draft.groups.length > 0 && <Effect draft={draft} vpc={vpc} inside={inside} />}
    </>
  );
}

/** What is chosen, as it was chosen. */
function inOrder<Option extends { readonly value: string }>(chosen: readonly string[], options: readonly Option[]): Option[] {
  return chosen.flatMap((id) => options.filter(({ value }) => value === id));
}

function about(subnet: Subnet): string {
  const free = subnet.AvailableIpAddressCount ?? 0;
  return [subnet.AvailabilityZone, subnet.CidrBlock, `${free} free addresses`].filter(Boolean).join(", ");
}
