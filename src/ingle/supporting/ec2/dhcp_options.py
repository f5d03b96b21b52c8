"""DHCP option sets. VPCs name the one that they use. Pure.

Source of the rules: "DHCP option sets" in the VPC user guide.
"""

from __future__ import annotations

from typing import Any

from ingle.domain.vpc import DhcpConfiguration, DhcpOptions, Vpc
from ingle.supporting.ec2.errors import in_use, invalid_value, missing
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene
from ingle.supporting.ec2.tags import tags_for

_KEYS = (
    "domain-name", "domain-name-servers", "ntp-servers", "netbios-name-servers", "netbios-node-type",
    "ipv6-address-preferred-lease-time",
)  # fmt: skip
_MOST_SERVERS = 4


def show(options: DhcpOptions) -> dict[str, Any]:
    return {
        "DhcpOptionsId": options.id,
        "OwnerId": options.account,
        "DhcpConfigurations": [
            {"Key": held.key, "Values": [{"Value": value} for value in held.values]} for held in options.configurations
        ],
        "Tags": tags_of(options) or [],
    }


_FILTERS: Table[DhcpOptions] = {
    **TAGGED,
    "dhcp-options-id": lambda options: [options.id],
    "key": lambda options: [held.key for held in options.configurations],
    "value": lambda options: [value for held in options.configurations for value in held.values],
}


def describe(scene: Scene, params: Params) -> Outcome:
    return described(scene, params, DhcpOptions, "DhcpOptions", show, _FILTERS, ids="DhcpOptionsIds")


def create(scene: Scene, params: Params) -> Outcome:
    found: dict[str, DhcpConfiguration] = {}
    for given in params["DhcpConfigurations"]:
        key, values = given.get("Key"), tuple(given.get("Values") or ())
        if key not in _KEYS:
            raise invalid_value(f"Value ({key}) for parameter name is invalid. Unknown DHCP option")
        if not values or any(not value for value in values):
            raise missing("value")
        if key in found or (key.endswith("-servers") and len(values) > _MOST_SERVERS):
            raise invalid_value(f"Value ({', '.join(values)}) for parameter value is invalid.")
        found[key] = DhcpConfiguration(key=key, values=values)
    if not found:
        raise missing("dhcpConfiguration")
    options = DhcpOptions(
        **scene.place, id=scene.new_id(DhcpOptions.prefix), tags=tags_for(params, DhcpOptions),
        configurations=tuple(found.values()),
    )  # fmt: skip
    return Outcome({"DhcpOptions": show(options)}, put=[options])


def delete(scene: Scene, params: Params) -> Outcome:
    options = scene.find(DhcpOptions, params["DhcpOptionsId"])
    if any(vpc.dhcp_options == options.id for vpc in scene.mine(Vpc)):
        raise in_use("dhcpOptions", options.id)
    return Outcome({}, removed=[options])


OPERATIONS: dict[str, Decide] = {
    "CreateDhcpOptions": create, "DescribeDhcpOptions": describe, "DeleteDhcpOptions": delete,
}  # fmt: skip
