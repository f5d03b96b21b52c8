/** Rules of security groups, as they hold together. Pure. */

import type { SecurityGroup } from "../../../api/networks";

export type Direction = "Outbound" | "Inbound";

export interface Rule {
  readonly direction: Direction;
  /** `TCP`, `All`, or the number of a protocol without a name. */
  readonly protocol: string;
  readonly ports: string;
  /** A range, a group, a prefix list: where to, or where from. */
  readonly peer: string;
  readonly descriptions: readonly string[];
  /** Ids of the groups that have it. */
  readonly groups: readonly string[];
}

type Permission = NonNullable<SecurityGroup["IpPermissions"]>[number];

/** What the groups let out and in together: outbound first, as functions only begin connections. */
export function effectiveRules(groups: readonly SecurityGroup[]): Rule[] {
  const found = new Map<string, Rule>();
  for (const direction of ["Outbound", "Inbound"] as const) {
    for (const group of groups) {
      const permissions = (direction === "Outbound" ? group.IpPermissionsEgress : group.IpPermissions) ?? [];
      for (const rule of permissions.flatMap((each) => rulesOf(direction, each, group.GroupId ?? ""))) {
        const key = [direction, rule.protocol, rule.ports, rule.peer].join("|"), before = found.get(key);
        found.set(key, before === undefined ? rule : joined(before, rule));
      }
    }
  }
  return [...found.values()];
}

function joined(one: Rule, other: Rule): Rule {
  const once = (texts: readonly string[]) => [...new Set(texts)];
  return { ...one, groups: once([...one.groups, ...other.groups]), descriptions: once([...one.descriptions, ...other.descriptions]) };
}

function rulesOf(direction: Direction, permission: Permission, group: string): Rule[] {
  const { IpRanges = [], Ipv6Ranges = [], UserIdGroupPairs = [], PrefixListIds = [] } = permission;
  const peers: [peer: string | undefined, description: string | undefined][] = [
    ...IpRanges.map(({ CidrIp, Description }): [string | undefined, string | undefined] => [CidrIp, Description]),
    ...Ipv6Ranges.map(({ CidrIpv6, Description }): [string | undefined, string | undefined] => [CidrIpv6, Description]),
    ...UserIdGroupPairs.map(({ GroupId, Description }): [string | undefined, string | undefined] => [GroupId, Description]),
    ...PrefixListIds.map(({ PrefixListId, Description }): [string | undefined, string | undefined] => [PrefixListId, Description]),
  ];
  const protocol = protocolOf(permission), ports = portsOf(permission);
  return peers.map(([peer = "", description]) => ({
    direction, protocol, ports, peer, descriptions: description ? [description] : [], groups: [group],
  }));
}

function protocolOf({ IpProtocol = "-1" }: Permission): string {
  return IpProtocol === "-1" ? "All" : IpProtocol.toUpperCase();
}

function portsOf({ IpProtocol = "-1", FromPort: from = -1, ToPort: to = -1 }: Permission): string {
  if (IpProtocol.startsWith("icmp")) {
    if (from === -1) return "All";
    return to === -1 ? `type ${from}` : `type ${from}, code ${to}`;
  }
  if ((IpProtocol !== "tcp" && IpProtocol !== "udp") || (from <= 0 && (to === -1 || to === 65535))) return "All";
  return from === to ? `${from}` : `${from}-${to}`;
}

/** `TCP 443 to 10.0.0.0/8`, `Everything to 0.0.0.0/0`. */
export function ruleText({ protocol, ports, peer }: Rule): string {
  const what = protocol === "All" ? "everything" : ports === "All" ? protocol : `${protocol} ${ports}`;
  return `${what} to ${peer}`;
}
