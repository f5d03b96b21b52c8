import { describe, expect, it } from "vitest";
import { effectiveRules, ruleText } from "./rules";

const ALL = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
const tcp = (from: number, to: number, ...ranges: string[]) => ({ IpProtocol: "tcp", FromPort: from, ToPort: to, IpRanges: ranges.map((CidrIp) => ({ CidrIp })) });

describe("the rules of security groups", () => {
  it("hold together, each once, with the groups that have it", () => {
    const rules = effectiveRules([
      { GroupId: "sg-1", IpPermissionsEgress: [ALL, tcp(443, 443, "10.0.0.0/8")], IpPermissions: [tcp(80, 80, "0.0.0.0/0")] },
      { GroupId: "sg-2", IpPermissionsEgress: [{ ...ALL, IpRanges: [{ CidrIp: "0.0.0.0/0", Description: "out" }] }] },
    ]);
    expect(rules).toEqual([
      { direction: "Outbound", protocol: "All", ports: "All", peer: "0.0.0.0/0", descriptions: ["out"], groups: ["sg-1", "sg-2"] },
      { direction: "Outbound", protocol: "TCP", ports: "443", peer: "10.0.0.0/8", descriptions: [], groups: ["sg-1"] },
      { direction: "Inbound", protocol: "TCP", ports: "80", peer: "0.0.0.0/0", descriptions: [], groups: ["sg-1"] },
    ]);
  });

  it("name ranges, groups and prefix lists", () => {
    const peers = { ...tcp(1, 2, "10.0.0.0/8"), Ipv6Ranges: [{ CidrIpv6: "::/0" }], UserIdGroupPairs: [{ GroupId: "sg-9" }], PrefixListIds: [{ PrefixListId: "pl-1" }] };
    expect(effectiveRules([{ GroupId: "g", IpPermissionsEgress: [peers] }]).map(({ peer }) => peer)).toEqual(["10.0.0.0/8", "::/0", "sg-9", "pl-1"]);
  });

  it.each([
    [{ IpProtocol: "tcp", FromPort: 0, ToPort: 65535 }, "TCP to x"],
    [{ IpProtocol: "udp", FromPort: 53, ToPort: 53 }, "UDP 53 to x"],
    [{ IpProtocol: "tcp", FromPort: 1024, ToPort: 2048 }, "TCP 1024-2048 to x"],
    [{ IpProtocol: "icmp", FromPort: -1, ToPort: -1 }, "ICMP to x"],
    [{ IpProtocol: "icmp", FromPort: 8, ToPort: -1 }, "ICMP type 8 to x"],
    [{ IpProtocol: "icmpv6", FromPort: 128, ToPort: 0 }, "ICMPV6 type 128, code 0 to x"],
    [{ IpProtocol: "47" }, "47 to x"],
    [{ IpProtocol: "-1" }, "everything to x"],
  ])("are told in words: %j", (permission, text) => {
    const [rule] = effectiveRules([{ GroupId: "g", IpPermissionsEgress: [{ ...permission, IpRanges: [{ CidrIp: "x" }] }] }]);
    expect(ruleText(rule!)).toBe(text);
  });
});
