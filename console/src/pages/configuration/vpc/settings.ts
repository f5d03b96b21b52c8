/** The network of a function as its form has it. Pure. */

import type { VpcConfig, VpcConfigResponse } from "@aws-sdk/client-lambda";
import type { Subnet } from "../../../api/networks";
import type { Problems } from "../../../components/EditForm";

export interface Draft {
  /** Empty: none. */
  readonly vpc: string;
  readonly subnets: readonly string[];
  readonly groups: readonly string[];
  readonly ipv6: boolean;
}

export const detached: VpcConfig = { SubnetIds: [], SecurityGroupIds: [], Ipv6AllowedForDualStack: false };

const MOST_SUBNETS = 16;
const MOST_GROUPS = 5;

export function draftOf(found: VpcConfigResponse | undefined): Draft {
  return {
    vpc: found?.VpcId ?? "", subnets: found?.SubnetIds ?? [], groups: found?.SecurityGroupIds ?? [], ipv6: found?.Ipv6AllowedForDualStack ?? false,
  };
}

export function configOf({ subnets, groups, ipv6 }: Draft): VpcConfig {
  return { SubnetIds: [...subnets], SecurityGroupIds: [...groups], Ipv6AllowedForDualStack: ipv6 };
}

export function check({ vpc, subnets, groups }: Draft): Problems<Draft> {
  if (vpc === "") return { vpc: "Choose a VPC." };
  const problems: Problems<Draft> = {};
  if (subnets.length === 0 || subnets.length > MOST_SUBNETS) problems.subnets = `Choose 1 to ${MOST_SUBNETS} subnets.`;
  if (groups.length === 0 || groups.length > MOST_GROUPS) problems.groups = `Choose 1 to ${MOST_GROUPS} security groups.`;
  return problems;
}

export function ipv6Range({ Ipv6CidrBlockAssociationSet = [] }: Subnet): string | undefined {
  return Ipv6CidrBlockAssociationSet.find(({ Ipv6CidrBlockState }) => Ipv6CidrBlockState?.State !== "disassociated")?.Ipv6CidrBlock;
}
