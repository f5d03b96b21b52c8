"""Network interfaces that callers make, and how they are changed. Lambda's are made in `lambda_interfaces`. Pure.

Source of the rules: "Elastic network interfaces" in the EC2 user guide. There is nothing that a caller could attach one
to: it reserves addresses, stands for a machine beside Ingle in the rules of security groups, or is a route's target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.domain.vpc import NetworkInterface, PrivateAddress, SecurityGroup, Subnet
from ingle.supporting.ec2 import addressing
from ingle.supporting.ec2.addressing import counted, too_many
from ingle.supporting.ec2.defaults import DEFAULT_GROUP
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing, not_together
from ingle.supporting.ec2.interface_view import attachment_of, elastic_of, filters, groups_of, require_own, show
from ingle.supporting.ec2.pages import described
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, only_attribute, token_of
from ingle.supporting.ec2.tags import tags_for

_MOST_GROUPS = 5
_LONGEST_DESCRIPTION = 255


def describe(scene: Scene, params: Params) -> Outcome:
    return described(
        scene, params, NetworkInterface, "NetworkInterfaces", lambda interface: show(scene, interface),
        filters(scene), ids="NetworkInterfaceIds",
    )  # fmt: skip


def create(scene: Scene, params: Params) -> Outcome:
    before = scene.repeated(NetworkInterface, params)
    if before is not None:
        return Outcome({"NetworkInterface": show(scene, before), "ClientToken": params["ClientToken"]})
    subnet = scene.find(Subnet, params["SubnetId"])
    identifier = scene.new_id(NetworkInterface.prefix)
    taken = addressing.taken_in(scene.networks, subnet)
    interface = NetworkInterface(
        **scene.place, id=identifier, tags=tags_for(params, NetworkInterface), vpc=subnet.vpc, subnet=subnet.id,
        groups=groups_in(scene, subnet.vpc, params.get("Groups")), addresses=_addresses(subnet, taken, params),
        ipv6=_ipv6(subnet, taken, params), mac=addressing.new_mac(identifier), created=scene.now,
        description=_description(params.get("Description", "")), client_token=token_of(params),
    )  # fmt: skip
    shown = {**show(scene, interface), "Status": "pending"}
    return Outcome({"NetworkInterface": shown, "ClientToken": params.get("ClientToken")}, put=[interface])


def groups_in(scene: Scene, vpc: str, wanted: list[str] | None) -> tuple[str, ...]:
    """The groups that an interface of a VPC is to be in; the default one, if none is named."""
    if not wanted:
        groups = scene.networks.in_vpc(SecurityGroup, vpc)
        return tuple(group.id for group in groups if group.name == DEFAULT_GROUP)
    if len(set(wanted)) > _MOST_GROUPS:
        raise Ec2Error(
            "SecurityGroupsPerInterfaceLimitExceeded",
            "The maximum number of security groups per interface has been reached.",
        )
    found = [scene.find(SecurityGroup, identifier) for identifier in dict.fromkeys(wanted)]
    for group in found:
        if group.vpc != vpc:
            raise invalid_value(f"You have specified two resources that belong to different networks: {group.id}.")
    return tuple(group.id for group in found)


def _addresses(subnet: Subnet, taken: set[str], params: Params) -> tuple[PrivateAddress, ...]:
    """The primary address first. Raises Ec2Error."""
    listed: list[Mapping[str, Any]] = params.get("PrivateIpAddresses") or []
    primary = [item for item in listed if item.get("Primary")]
    if len(primary) > 1 or (primary and "PrivateIpAddress" in params):
        raise invalid_value("Only one primary private IP address can be specified.")
    if listed and "SecondaryPrivateIpAddressCount" in params:
        raise not_together("Specify either privateIpAddresses or secondaryPrivateIpAddressCount.")
    first = [params["PrivateIpAddress"]] if "PrivateIpAddress" in params else []
    first += [_text(item) for item in primary]
    rest = [_text(item) for item in listed if not item.get("Primary")]
    count = counted(params.get("SecondaryPrivateIpAddressCount", 0))
    if len(rest) + count >= addressing.MOST_ADDRESSES:
        raise too_many()
    found = addressing.these_addresses(subnet, taken, first) or addressing.some_addresses(subnet, taken, 1)
    found += addressing.these_addresses(subnet, taken, rest) + addressing.some_addresses(subnet, taken, count)
    return addressing.as_private(found)


def _text(item: Mapping[str, Any]) -> str:
    if "PrivateIpAddress" not in item:
        raise missing("privateIpAddress")
    return str(item["PrivateIpAddress"])


def _ipv6(subnet: Subnet, taken: set[str], params: Params) -> tuple[str, ...]:
    listed = [item["Ipv6Address"] for item in params.get("Ipv6Addresses") or [] if "Ipv6Address" in item]
    if listed and "Ipv6AddressCount" in params:
        raise not_together("Specify either ipv6Addresses or ipv6AddressCount.")
    count = counted(params.get("Ipv6AddressCount", 1 if subnet.assign_ipv6 and not listed else 0))
    found = addressing.these_ipv6(subnet, taken, listed)
    return tuple(found + addressing.some_ipv6(subnet, taken, count))


def _description(text: str) -> str:
    if len(text) > _LONGEST_DESCRIPTION:
        raise invalid_value(
            f"Invalid value '{text}' for description. It has at most {_LONGEST_DESCRIPTION} characters."
        )
    return text


def delete(scene: Scene, params: Params) -> Outcome:
    interface = scene.find(NetworkInterface, params["NetworkInterfaceId"])
    require_own(interface)
    return Outcome({}, put=[held.freed() for held in elastic_of(scene, interface)], removed=[interface])


# --- attributes -----------------------------------------------------------------------------------------------------


def modify(scene: Scene, params: Params) -> Outcome:
    interface = scene.find(NetworkInterface, params["NetworkInterfaceId"])
    if interface.requester is not None:
        raise Ec2Error(
            "OperationNotPermitted", f"You do not have permission to access the specified resource {interface.id}."
        )
    name = only_attribute(params, [name for name in params if name not in ("NetworkInterfaceId", "DryRun")])
    changes: Mapping[str, Any] = _modified(scene, interface, name, params[name])
    return Outcome({}, put=[replace(interface, **changes)])


def _modified(scene: Scene, interface: NetworkInterface, name: str, value: Any) -> dict[str, Any]:
    if name == "Groups":
        if not value:
            raise missing("groupSet")
        return {"groups": groups_in(scene, interface.vpc, value)}
    if name not in ("Description", "SourceDestCheck"):
        raise invalid_value(f"The parameter {name} is not supported.")
    if value.get("Value") is None:
        raise missing("value")
    if name == "Description":
        return {"description": _description(value["Value"])}
    return {"source_dest_check": value["Value"]}


def reset(scene: Scene, params: Params) -> Outcome:
    interface = scene.find(NetworkInterface, params["NetworkInterfaceId"])
    require_own(interface)
    return Outcome({}, put=[replace(interface, source_dest_check=True)])


def describe_attribute(scene: Scene, params: Params) -> Outcome:
    interface = scene.find(NetworkInterface, params["NetworkInterfaceId"])
    attribute = params.get("Attribute")
    found: dict[str | None, dict[str, Any]] = {
        "description": {"Description": {"Value": interface.description}},
        "groupSet": {"Groups": groups_of(scene, interface)},
        "sourceDestCheck": {"SourceDestCheck": {"Value": interface.source_dest_check}},
        "attachment": {"Attachment": attachment_of(interface)},
        "associatePublicIpAddress": {"AssociatePublicIpAddress": False},
    }
    if attribute not in found:
        raise missing("attribute")
    return Outcome({"NetworkInterfaceId": interface.id, **found[attribute]})


OPERATIONS: dict[str, Decide] = {
    "CreateNetworkInterface": create,
    "DescribeNetworkInterfaces": describe,
    "DeleteNetworkInterface": delete,
    "ModifyNetworkInterfaceAttribute": modify,
    "ResetNetworkInterfaceAttribute": reset,
    "DescribeNetworkInterfaceAttribute": describe_attribute,
}
