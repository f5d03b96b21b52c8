/** The network that the function has. */

import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useCallback } from "react";
import { type Subnet, inside, listVpcs, nameOf } from "../../../api/networks";
import { useConsole } from "../../../app/context";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import { Effect } from "./Effect";
import { type Draft, ipv6Range } from "./settings";

export function Attached({ draft }: { draft: Draft }) {
  const place = useConsole();
  const { vpc } = draft;
  const load = useCallback(async () => {
    const [vpcs, found] = await Promise.all([listVpcs(place), inside(place, vpc)]);
    return { vpc: vpcs.find(({ VpcId }) => VpcId === vpc) ?? { VpcId: vpc }, inside: found };
  }, [place, vpc]);
  const { loaded, reload } = useLoad(load);
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={3}
        items={[
          { label: "VPC", value: vpc },
          { label: "Security groups", value: draft.groups.map((group) => <div key={group}>{group}</div>) },
          { label: "IPv6 traffic for dual-stack subnets", value: draft.ipv6 ? "Allowed" : "Not allowed" },
        ]}
      />
      <Shown loaded={loaded} what="the network" reload={reload}>
        {(network) => (
          <SpaceBetween size="l">
            <Subnets subnets={draft.subnets.map((id) => network.inside.subnets.find(({ SubnetId }) => SubnetId === id) ?? { SubnetId: id })} />
            <Effect draft={draft} {...network} />
          </SpaceBetween>
        )}
      </Shown>
    </SpaceBetween>
  );
}

function Subnets({ subnets }: { subnets: readonly Subnet[] }) {
  return (
    <Table
      variant="embedded"
      wrapLines
      ariaLabels={{ tableLabel: "Subnets" }}
      items={subnets}
      columnDefinitions={[
        { id: "id", header: "Subnet", isRowHeader: true, cell: (subnet) => [subnet.SubnetId, nameOf(subnet)].filter(Boolean).join(" - ") },
        { id: "zone", header: "Availability zone", cell: ({ AvailabilityZone = "-" }) => AvailabilityZone },
        { id: "range", header: "IPv4 range", cell: ({ CidrBlock = "-" }) => CidrBlock },
        { id: "ipv6", header: "IPv6 range", cell: (subnet) => ipv6Range(subnet) ?? "-" },
        { id: "free", header: "Free addresses", cell: ({ AvailableIpAddressCount = "-" }) => AvailableIpAddressCount },
      ]}
    />
  );
}
