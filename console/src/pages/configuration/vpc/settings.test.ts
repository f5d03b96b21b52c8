import { describe, expect, it } from "vitest";
import { check, configOf, draftOf, ipv6Range } from "./settings";

const FOUND = { VpcId: "vpc-1", SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"], Ipv6AllowedForDualStack: true };

describe("the network of a function", () => {
  it("is sent as it was found, without its id", () => {
    expect(configOf(draftOf(FOUND))).toEqual({ SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"], Ipv6AllowedForDualStack: true });
  });

  it("is none before, and after detaching", () => {
    for (const found of [undefined, { VpcId: "", SubnetIds: [], SecurityGroupIds: [] }]) expect(draftOf(found).vpc).toBe("");
  });

  it("has subnets and groups", () => {
    expect(check(draftOf(FOUND))).toEqual({});
    expect(Object.keys(check(draftOf(undefined)))).toEqual(["vpc"]);
    expect(Object.keys(check({ ...draftOf(FOUND), subnets: [], groups: Array<string>(6).fill("sg") }))).toEqual(["subnets", "groups"]);
  });
});

it("finds a subnet's IPv6 range, if it has one still", () => {
  const range = (State: "associated" | "disassociated") => ({ Ipv6CidrBlockAssociationSet: [{ Ipv6CidrBlock: "fd00::/64", Ipv6CidrBlockState: { State } }] });
  expect([ipv6Range({}), ipv6Range(range("disassociated")), ipv6Range(range("associated"))]).toEqual([undefined, undefined, "fd00::/64"]);
});
