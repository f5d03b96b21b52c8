/** What a function reaches from a VPC, in words. Pure. Rules are those of docs/reference/networks.md. */

import type { Inside, NatGateway, NetworkAcl, RouteTable, Subnet, Vpc } from "../../../api/networks";
import { type Rule, ruleText } from "./rules";

export interface Line {
  readonly kind: "yes" | "no" | "note";
  readonly text: string;
}

export interface Attachment {
  readonly vpc: Vpc;
  /** The chosen ones. */
  readonly subnets: readonly Subnet[];
  readonly rules: readonly Rule[];
  readonly ipv6: boolean;
  readonly inside: Inside;
}

type Route = NonNullable<RouteTable["Routes"]>[number];

export function reach({ vpc, subnets, rules, ipv6, inside }: Attachment): Line[] {
  const out = rules.filter(({ direction }) => direction === "Outbound");
  const inbound: Line = { kind: "no", text: "Nothing connects to the function, whatever inbound rules say: it only begins connections." };
  if (out.length === 0) return [{ kind: "no", text: "Nothing: the security groups let nothing out." }, inbound];
  return [
    { kind: "note", text: `The security groups let out: ${out.map(ruleText).join("; ")}. Within that:` },
    { kind: "yes", text: `Addresses of the VPC: ${ranges(vpc, ipv6).join(", ")}.` },
    ...routeLines(subnets, ipv6, inside),
    ...aclLines(subnets, inside.acls),
    ...(ipv6 ? [] : [{ kind: "no" as const, text: "IPv6: it is not allowed for the function." }]),
    { kind: "no", text: "TCP port 25, and the metadata of machines (169.254.169.254)." },
    inbound,
  ];
}

function ranges(vpc: Vpc, ipv6: boolean): string[] {
  const four = (vpc.CidrBlockAssociationSet ?? []).map(({ CidrBlock }) => CidrBlock ?? "");
  const six = (vpc.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => Ipv6CidrBlock ?? "");
  return [...(four.length > 0 ? four : [vpc.CidrBlock ?? ""]), ...(ipv6 ? six : [])].filter(Boolean);
}

/** One for each destination beyond the VPC and what becomes of it, with the subnets from which it does. */
function routeLines(subnets: readonly Subnet[], ipv6: boolean, inside: Inside): Line[] {
  const found = new Map<string, { destination: string; verdict: Line; from: string[] }>();
  for (const subnet of subnets) {
    for (const [destination, verdict] of verdicts(subnet, ipv6, inside)) {
      const key = `${destination}|${verdict.text}`, before = found.get(key) ?? { destination, verdict, from: [] };
      before.from.push(subnet.SubnetId ?? "");
      found.set(key, before);
    }
  }
  return [...found.values()].map(({ destination, verdict, from }) => {
    const where = from.length === subnets.length ? "" : ` from ${from.join(", ")}`;
    return { kind: verdict.kind, text: `${NAMES[destination] ?? destination}${where}: ${verdict.text}.` };
  });
}

const EVERYWHERE = "0.0.0.0/0";
const NAMES: Record<string, string> = { [EVERYWHERE]: "The internet (0.0.0.0/0)", "::/0": "The internet by IPv6 (::/0)" };

function verdicts(subnet: Subnet, ipv6: boolean, inside: Inside): [destination: string, verdict: Line][] {
  const found = new Map<string, Line>([[EVERYWHERE, { kind: "no", text: "no route leads there" }]]);
  for (const route of tableOf(subnet, inside.tables)?.Routes ?? []) {
    const destination = route.DestinationCidrBlock ?? route.DestinationPrefixListId ?? route.DestinationIpv6CidrBlock ?? "";
    if (route.GatewayId === "local" || (route.DestinationIpv6CidrBlock !== undefined && !ipv6)) continue;
    found.set(destination, verdictOf(route, inside));
  }
  return [...found];
}

/** The table that is its own, or else the VPC's. */
export function tableOf(subnet: Subnet, tables: readonly RouteTable[]): RouteTable | undefined {
  const associated = (match: (association: { SubnetId?: string; Main?: boolean }) => boolean | undefined) =>
    tables.find(({ Associations = [] }) => Associations.some(match));
  return associated(({ SubnetId }) => SubnetId === subnet.SubnetId) ?? associated(({ Main }) => Main);
}

function verdictOf(route: Route, inside: Inside): Line {
  if (route.State === "blackhole") return { kind: "no", text: "its route leads to what is not there any more" };
  if (route.DestinationIpv6CidrBlock !== undefined) return { kind: "no", text: "IPv6 does not lead beyond the VPC" };
  if (route.NatGatewayId !== undefined) return throughGateway(route.NatGatewayId, inside);
  if (route.NetworkInterfaceId !== undefined) return { kind: "yes", text: `by the network interface ${route.NetworkInterfaceId}` };
  if (route.GatewayId?.startsWith("igw-")) {
    return { kind: "no", text: `its route leads to the internet gateway ${route.GatewayId}, but functions have no public address. A NAT gateway is needed` };
  }
  return { kind: "no", text: "its route leads to what functions cannot use" };
}

function throughGateway(id: string, { gateways, subnets, tables }: Inside): Line {
  const gateway = gateways.find(({ NatGatewayId }) => NatGatewayId === id);
  if (gateway?.State !== "available") return { kind: "no", text: `the NAT gateway ${id} is not available` };
  if (gateway.ConnectivityType === "private") return { kind: "no", text: `the NAT gateway ${id} is a private one` };
  const subnet = subnets.find(({ SubnetId }) => SubnetId === gateway.SubnetId);
  if (subnet !== undefined && !isPublic(subnet, tables)) {
    return { kind: "no", text: `the NAT gateway ${id} is in a subnet that no route leads out of` };
  }
  return { kind: "yes", text: `by the NAT gateway ${named(gateway, id)}` };
}

function named({ NatGatewayAddresses = [] }: NatGateway, id: string): string {
  const address = NatGatewayAddresses.find(({ PublicIp }) => PublicIp)?.PublicIp;
  return address === undefined ? id : `${id} (${address})`;
}

/** Whether a route to everywhere leads to an internet gateway. */
function isPublic(subnet: Subnet, tables: readonly RouteTable[]): boolean {
  return (tableOf(subnet, tables)?.Routes ?? []).some(
    ({ DestinationCidrBlock, GatewayId, State }) => DestinationCidrBlock === EVERYWHERE && GatewayId?.startsWith("igw-") && State !== "blackhole",
  );
}

/** Those that do not let everything through. */
function aclLines(subnets: readonly Subnet[], acls: readonly NetworkAcl[]): Line[] {
  return acls.filter((acl) => !letsAllThrough(acl)).flatMap(({ NetworkAclId, Associations = [] }) => {
    const about = subnets.filter(({ SubnetId }) => Associations.some((each) => each.SubnetId === SubnetId)).map(({ SubnetId }) => SubnetId);
    return about.length === 0 ? [] : [{ kind: "note" as const, text: `The network ACL ${NetworkAclId} decides besides, about ${about.join(", ")}.` }];
  });
}

/** Whether the first entry each way allows everything. */
function letsAllThrough({ Entries = [] }: NetworkAcl): boolean {
  return [true, false].every((egress) => {
    const [first] = Entries.filter(({ Egress, CidrBlock }) => Egress === egress && CidrBlock !== undefined)
      .sort((one, other) => (one.RuleNumber ?? 0) - (other.RuleNumber ?? 0));
    return first?.RuleAction === "allow" && first.Protocol === "-1" && first.CidrBlock === EVERYWHERE;
  });
}
