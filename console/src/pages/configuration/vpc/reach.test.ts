import { describe, expect, it } from "vitest";
import type { Inside } from "../../../api/networks";
import { type Attachment, reach } from "./reach";
import { effectiveRules } from "./rules";

const OUT = { GroupId: "sg-1", IpPermissionsEgress: [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }] };
const LOCAL = { DestinationCidrBlock: "10.0.0.0/16", GatewayId: "local", State: "active" as const };
const table = (subnet: string | undefined, ...routes: object[]) => ({
  Associations: [subnet === undefined ? { Main: true } : { SubnetId: subnet }], Routes: [LOCAL, ...routes],
});
const to = (target: object, state: "active" | "blackhole" = "active") => ({ DestinationCidrBlock: "0.0.0.0/0", State: state, ...target });
const IGW = to({ GatewayId: "igw-1" });
const NAT = { NatGatewayId: "nat-1", SubnetId: "subnet-p", State: "available" as const, NatGatewayAddresses: [{ PublicIp: "198.18.0.1" }] };
const PUBLIC = { SubnetId: "subnet-p" };

function given(part: Partial<Attachment>, inside: Partial<Inside> = {}): Attachment {
  return {
    vpc: { CidrBlock: "10.0.0.0/16" }, subnets: [{ SubnetId: "subnet-a" }], rules: effectiveRules([OUT]), ipv6: false,
    inside: { subnets: [PUBLIC, { SubnetId: "subnet-a" }], groups: [], tables: [table(undefined)], gateways: [], acls: [], ...inside }, ...part,
  };
}
const told = (attachment: Attachment) => reach(attachment).map(({ kind, text }) => `${kind}: ${text}`);
const internet = (attachment: Attachment) => told(attachment).filter((line) => line.includes("internet"));
const by = (...tables: Inside["tables"]) => given({}, { tables, gateways: [NAT] });

describe("what a function reaches", () => {
  it("is the VPC, and nobody the function", () => {
    expect(told(given({}))).toEqual([
      "note: The security groups let out: everything to 0.0.0.0/0. Within that:",
      "yes: Addresses of the VPC: 10.0.0.0/16.",
      "no: The internet (0.0.0.0/0): no route leads there.",
      "no: IPv6: it is not allowed for the function.",
      "no: TCP port 25, and the metadata of machines (169.254.169.254).",
      "no: Nothing connects to the function, whatever inbound rules say: it only begins connections.",
    ]);
  });

  it("is nothing where the groups let nothing out", () => {
    expect(told(given({ rules: [] }))[0]).toBe("no: Nothing: the security groups let nothing out.");
  });

  it("is the internet by a public NAT gateway in a public subnet", () => {
    const route = to({ NatGatewayId: "nat-1" });
    expect(internet(by(table("subnet-a", route), table("subnet-p", IGW)))).toEqual(["yes: The internet (0.0.0.0/0): by the NAT gateway nat-1 (198.18.0.1)."]);
    expect(internet(by(table("subnet-a", route), table("subnet-p")))[0]).toContain("no: The internet (0.0.0.0/0): the NAT gateway nat-1 is in a subnet");
    const tables = [table(undefined, route), table("subnet-p", IGW)];
    expect(internet(given({}, { tables, gateways: [{ ...NAT, ConnectivityType: "private" }] }))[0]).toContain("is a private one");
    expect(internet(given({}, { tables, gateways: [{ ...NAT, State: "deleted" }] }))[0]).toContain("is not available");
  });

  it.each([
    ["an internet gateway alone", IGW, "A NAT gateway is needed"],
    ["what is gone", to({ NatGatewayId: "nat-1" }, "blackhole"), "what is not there any more"],
    ["something else", to({ GatewayId: "vgw-1" }), "what functions cannot use"],
  ])("is not the internet by %s", (_, route, why) => {
    expect(internet(by(table("subnet-a", route)))[0]).toMatch(new RegExp(`^no: .*${why}`));
  });

  it("is told for subnets that differ", () => {
    const subnets = [{ SubnetId: "subnet-a" }, { SubnetId: "subnet-b" }];
    const tables = [table(undefined), table("subnet-b", to({ NetworkInterfaceId: "eni-1" }), { DestinationCidrBlock: "10.9.0.0/16", NetworkInterfaceId: "eni-2" })];
    const lines = told(given({ subnets }, { tables }));
    expect(lines).toContain("no: The internet (0.0.0.0/0) from subnet-a: no route leads there.");
    expect(lines).toContain("yes: The internet (0.0.0.0/0) from subnet-b: by the network interface eni-1.");
    expect(lines).toContain("yes: 10.9.0.0/16 from subnet-b: by the network interface eni-2.");
  });

  it("has IPv6 of the VPC only, if any", () => {
    const vpc = { CidrBlock: "10.0.0.0/16", Ipv6CidrBlockAssociationSet: [{ Ipv6CidrBlock: "fd00::/56" }] };
    const six = { DestinationIpv6CidrBlock: "::/0", EgressOnlyInternetGatewayId: "eigw-1" };
    const lines = told(given({ vpc, ipv6: true }, { tables: [table(undefined, six)] }));
    expect(lines).toContain("yes: Addresses of the VPC: 10.0.0.0/16, fd00::/56.");
    expect(lines).toContain("no: The internet by IPv6 (::/0): IPv6 does not lead beyond the VPC.");
  });

  it("is what network ACLs leave of it", () => {
    const entry = (Egress: boolean, RuleAction: "allow" | "deny") => ({ Egress, RuleAction, RuleNumber: 100, Protocol: "-1", CidrBlock: "0.0.0.0/0" });
    const acl = (...Entries: object[]) => ({ NetworkAclId: "acl-1", Associations: [{ SubnetId: "subnet-a" }], Entries });
    const acls = (...all: Inside["acls"]) => told(given({}, { acls: all })).filter((line) => line.includes("ACL"));
    expect(acls(acl(entry(true, "allow"), entry(false, "allow")))).toEqual([]);
    expect(acls(acl(entry(true, "allow"), entry(false, "deny")))).toEqual(["note: The network ACL acl-1 decides besides, about subnet-a."]);
    expect(acls({ ...acl(), Associations: [] })).toEqual([]);
  });
});
