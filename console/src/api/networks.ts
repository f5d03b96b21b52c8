/** Private networks that functions can be attached to. The client of EC2 is loaded when it is needed first. */

import type { NatGateway, NetworkAcl, RouteTable, SecurityGroup, Subnet, Vpc } from "@aws-sdk/client-ec2";
import { type Place, configuration } from "./clients";
import { all } from "./pages";

export type { NatGateway, NetworkAcl, RouteTable, SecurityGroup, Subnet, Vpc };

/** What is in one VPC, as far as it says what a function reaches. */
export interface Inside {
  readonly subnets: readonly Subnet[];
  readonly groups: readonly SecurityGroup[];
  readonly tables: readonly RouteTable[];
  readonly gateways: readonly NatGateway[];
  readonly acls: readonly NetworkAcl[];
}

export async function listVpcs(place: Place): Promise<Vpc[]> {
  const { EC2Client, paginateDescribeVpcs } = await import("@aws-sdk/client-ec2");
  return all(paginateDescribeVpcs({ client: new EC2Client(configuration(place)) }, {}), ({ Vpcs }) => Vpcs);
}

export async function inside(place: Place, vpc: string): Promise<Inside> {
  const {
    EC2Client, paginateDescribeNatGateways, paginateDescribeNetworkAcls, paginateDescribeRouteTables, paginateDescribeSecurityGroups,
    paginateDescribeSubnets,
  } = await import("@aws-sdk/client-ec2");
  const client = { client: new EC2Client(configuration(place)) };
  const Filters = [{ Name: "vpc-id", Values: [vpc] }];
  const [subnets, groups, tables, gateways, acls] = await Promise.all([
    all(paginateDescribeSubnets(client, { Filters }), ({ Subnets }) => Subnets),
    all(paginateDescribeSecurityGroups(client, { Filters }), ({ SecurityGroups }) => SecurityGroups),
    all(paginateDescribeRouteTables(client, { Filters }), ({ RouteTables }) => RouteTables),
    all(paginateDescribeNatGateways(client, { Filter: Filters }), ({ NatGateways }) => NatGateways),
    all(paginateDescribeNetworkAcls(client, { Filters }), ({ NetworkAcls }) => NetworkAcls),
  ]);
  return { subnets, groups, tables, gateways, acls };
}

/** The tag that people name things by. */
export function nameOf({ Tags = [] }: { Tags?: { Key?: string; Value?: string }[] }): string {
  return Tags.find(({ Key }) => Key === "Name")?.Value ?? "";
}
