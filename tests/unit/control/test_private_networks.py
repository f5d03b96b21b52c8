"""Functions and the interfaces that they share: made at activation, kept while needed, refused where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ingle.domain.errors import InvalidParameterValue
from ingle.domain.vpc import CidrAssociation, Ipv6Association, NetworkInterface, SecurityGroup, Subnet, Vpc

PLACE: dict[str, Any] = {"account": "111111111111", "region": "us-east-1"}
DUAL = (Ipv6Association(id="a", cidr="fd00::/64"),)
NOWHERE: dict[str, Any] = {"SubnetIds": [], "SecurityGroupIds": []}


def vpc(name: str, cidr: str, **more: Any) -> Vpc:
    return Vpc(**PLACE, id=name, cidrs=(CidrAssociation(id=f"c{name}", cidr=cidr),), **more)


def subnet(name: str, within: str, cidr: str, **more: Any) -> Subnet:
    return Subnet(**PLACE, id=name, vpc=within, cidr=cidr, zone="us-east-1a", **more)


def group(name: str, within: str) -> SecurityGroup:
    return SecurityGroup(**PLACE, id=name, vpc=within, name=name, description="d")


@pytest.fixture(autouse=True)
def networks(plane: Any) -> Any:
    found = plane.catalog.networks
    found.apply(
        [
            vpc("vpc-1", "10.0.0.0/16"), vpc("vpc-2", "10.1.0.0/16"), vpc("vpc-3", "10.2.0.0/16", tenancy="dedicated"),
            subnet("subnet-1", "vpc-1", "10.0.1.0/28"), subnet("subnet-2", "vpc-1", "10.0.2.0/28", ipv6=DUAL),
            subnet("subnet-far", "vpc-2", "10.1.1.0/28"), subnet("subnet-3", "vpc-3", "10.2.1.0/28"),
            group("sg-1", "vpc-1"), group("sg-2", "vpc-1"), group("sg-far", "vpc-2"), group("sg-3", "vpc-3"),
            replace(subnet("subnet-other", "vpc-9", "10.9.0.0/24"), account="222222222222"),
        ]
    )  # fmt: skip
    return found


def config(*names: str, ipv6: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "SubnetIds": [name for name in names if name.startswith("subnet-")],
        "SecurityGroupIds": [name for name in names if name.startswith("sg-")],
    }
    return {**found, "Ipv6AllowedForDualStack": True} if ipv6 else found


def interfaces(plane: Any) -> list[NetworkInterface]:
    return list(plane.catalog.networks.every(NetworkInterface))


SUBNETS = "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: "
GROUPS = "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: "


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (config("subnet-no", "sg-1"), f"{SUBNETS}The subnet ID 'subnet-no' does not exist"),
        (config("subnet-other", "sg-1"), f"{SUBNETS}The subnet ID 'subnet-other' does not exist"),
        (config("subnet-no", "sg-no"), f"{SUBNETS}The subnet ID 'subnet-no' does not exist"),
        (config("subnet-1", "sg-no"), f"{GROUPS}The security group 'sg-no' does not exist"),
        (config("subnet-1", "subnet-far", "sg-1"), "Subnets are required to be in the same VPC."),
        (config("subnet-1", "sg-1", "sg-far"), "Security Groups are required to be in the same VPC."),
        (config("subnet-3", "sg-3"), "Lambda functions cannot connect to a VPC with dedicated instance tenancy."),
        (
            config("subnet-2", "subnet-1", "sg-1", ipv6=True),
            "Ipv6AllowedForDualStack can be true only if every subnet is a dual-stack subnet: 'subnet-1' has no IPv6 "
            "CIDR block.",
        ),
    ],
)
async def test_what_a_function_cannot_be_attached_to(plane: Any, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        await plane.create(VpcConfig=wanted)
    assert raised.value.message == message
    assert not plane.store.functions
    async with plane.active():
        with pytest.raises(InvalidParameterValue) as again:
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", VpcConfig=wanted)
        assert again.value.message == message


async def test_the_role_has_to_be_allowed_to_make_interfaces(plane: Any) -> None:
    plane.roles.forbidden = frozenset(["ec2:CreateNetworkInterface"])
    text = "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
    with pytest.raises(InvalidParameterValue, match=text):
        await plane.create(VpcConfig=config("subnet-1", "sg-1"))
    async with plane.active():
        assert not interfaces(plane)


async def test_an_address_that_somebody_is_known_to_have_is_not_given(plane: Any) -> None:
    plane.occupied["subnet-1"] = {"10.0.1.4", "10.0.1.6"}
    async with plane.active("one", VpcConfig=config("subnet-1", "sg-1")):
        await plane.create("two", VpcConfig=config("subnet-1", "sg-2"))
        await plane.settle()
        assert [held.address for held in interfaces(plane)] == ["10.0.1.5", "10.0.1.7"]


async def test_functions_share_the_interface_of_their_combination(plane: Any) -> None:
    async with plane.active("one", VpcConfig=config("subnet-1", "sg-1", "sg-2")):
        (first,) = interfaces(plane)
        assert first.description.startswith("AWS Lambda VPC ENI-one-")
        assert len(first.description) == len("AWS Lambda VPC ENI-one-") + 36
        assert (first.interface_type, first.address, first.groups) == ("lambda", "10.0.1.4", ("sg-1", "sg-2"))
        assert (first.vpc, first.in_use, first.requester) == ("vpc-1", True, "amazon-lambda")
        await plane.create("two", VpcConfig=config("subnet-1", "sg-2", "sg-1"))
        await plane.settle()
        assert interfaces(plane) == [first]
        await plane.create("three", VpcConfig=config("subnet-1", "subnet-2", "sg-1"))
        await plane.settle()
        assert [held.address for held in interfaces(plane)] == ["10.0.1.4", "10.0.1.5", "10.0.2.4"]


async def test_ipv6_is_of_an_interface_of_its_own(plane: Any) -> None:
    async with plane.active("one", VpcConfig=config("subnet-2", "sg-1")):
        await plane.create("two", VpcConfig=config("subnet-2", "sg-1", ipv6=True))
        await plane.settle()
        without, having = interfaces(plane)
        assert (without.ipv6, without.ipv6_allowed) == ((), False)
        assert (having.ipv6, having.ipv6_allowed) == (("fd00::4",), True)


async def test_an_interface_goes_a_while_after_its_last_function(plane: Any) -> None:
    async with plane.active("one", VpcConfig=config("subnet-1", "sg-1")):
        await plane.create("two", VpcConfig=config("subnet-1", "sg-1"))
        await plane.settle()
        await plane.call("DeleteFunction", FunctionName="one")
        await plane.attached.tidy()
        plane.clock.seconds += 100
        await plane.attached.tidy()
        assert [held.unused_since for held in interfaces(plane)] == [None]
        await plane.call("DeleteFunction", FunctionName="two")
        await plane.attached.tidy()
        plane.clock.seconds += 59
        await plane.attached.tidy()
        assert len(interfaces(plane)) == 1
        # One that is needed again stays.
        await plane.create("three", VpcConfig=config("subnet-1", "sg-1"))
        await plane.settle()
        plane.clock.seconds += 100
        await plane.attached.tidy()
        assert [held.unused_since for held in interfaces(plane)] == [None]
        await plane.call("DeleteFunction", FunctionName="three")
        await plane.attached.tidy()
        plane.clock.seconds += 60
        await plane.attached.tidy()
        assert not interfaces(plane)


async def test_versions_need_what_they_were_published_with(plane: Any) -> None:
    async with plane.active(VpcConfig=config("subnet-1", "sg-1")):
        await plane.call("PublishVersion", FunctionName="F")
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", VpcConfig=NOWHERE)
        await plane.settle()
        await plane.attached.tidy()
        plane.clock.seconds += 100
        await plane.attached.tidy()
        assert len(interfaces(plane)) == 1
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        await plane.attached.tidy()
        plane.clock.seconds += 100
        await plane.attached.tidy()
        assert not interfaces(plane)


async def test_what_is_served_keeps_its_interface_during_an_update(plane: Any) -> None:
    async with plane.active(VpcConfig=config("subnet-1", "sg-1")):
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", VpcConfig=config("subnet-2", "sg-1"))
        await plane.attached.tidy()
        assert [held.unused_since for held in interfaces(plane)][:1] == [None]
        await plane.settle()
        await plane.attached.tidy()
        first, second = interfaces(plane)
        assert (first.subnet, first.unused_since is None) == ("subnet-1", False)
        assert (second.subnet, second.unused_since) == ("subnet-2", None)


async def failed(plane: Any) -> tuple[str, str]:
    for _ in range(50):
        found = await plane.call("GetFunctionConfiguration", FunctionName="F")
        if found["State"] == "Failed":
            return found["StateReasonCode"], found["StateReason"]
        await plane.pause()
    raise AssertionError("it did not fail")


async def test_a_subnet_that_is_out_of_addresses_fails_the_function(plane: Any, networks: Any) -> None:
    async with plane.activating():
        for number in range(11):
            networks.apply([group(f"sg-a{number}", "vpc-1")])
            await plane.create(f"f{number}", VpcConfig=config("subnet-1", f"sg-a{number}"))
            await plane.settle()
        await plane.create(VpcConfig=config("subnet-1", "sg-1"))
        code, reason = await failed(plane)
        assert code == "SubnetOutOfIPAddresses"
        assert reason.endswith("one or more configured subnets has no available IP addresses.")
        assert len(interfaces(plane)) == 11


@pytest.mark.parametrize(("gone", "code"), [("subnet-1", "InvalidSubnet"), ("sg-1", "InvalidSecurityGroup")])
async def test_what_went_before_activation_fails_the_function(plane: Any, networks: Any, gone: str, code: str) -> None:
    await plane.create(VpcConfig=config("subnet-1", "sg-1"))
    kind = Subnet if gone.startswith("subnet") else SecurityGroup
    networks.apply(removed=[networks.get(kind, gone)])
    async with plane.activating():
        assert (await failed(plane))[0] == code
    assert not interfaces(plane)


async def test_a_role_that_lost_its_permission_fails_the_activation(plane: Any) -> None:
    await plane.create(VpcConfig=config("subnet-1", "sg-1"))
    plane.roles.forbidden = frozenset(["ec2:CreateNetworkInterface"])
    async with plane.activating():
        assert (await failed(plane))[0] == "InsufficientRolePermissions"
