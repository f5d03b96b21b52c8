"""What EC2's operations on networks need. Source: "Actions, resources, and condition keys for Amazon EC2".

An operation needs its action on every resource that it names and on each kind that it makes; those that list need it
on `*`. Tags that a creation gives need `ec2:CreateTags`, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingle.catalog.networks import Networks
from ingle.domain.caller import Caller
from ingle.domain.vpc import (
    BY_PREFIX,
    ElasticAddress,
    NetworkAcl,
    Resource,
    RouteTable,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.resource import arn_of
from ingle.frontend.authorization.needs import Need, Values

Params = Mapping[str, Any]

#: What each creation makes, as EC2 calls the kinds.
_MADE: Mapping[str, str] = {
    "CreateVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateSecurityGroup": "security-group",
    "CreateRouteTable": "route-table",
    "CreateNetworkAcl": "network-acl",
    "CreateNetworkInterface": "network-interface",
    "CreateInternetGateway": "internet-gateway",
    "CreateEgressOnlyInternetGateway": "egress-only-internet-gateway",
    "CreateNatGateway": "natgateway",
    "CreateManagedPrefixList": "prefix-list",
    "CreateDhcpOptions": "dhcp-options",
    "AllocateAddress": "elastic-ip",
}


class Ec2Needs:
    """`__call__` is a `needs.NeedsOf`. Ids that are nobody's count as the caller's own."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def __call__(self, caller: Caller, operation: str, params: Params) -> list[Need]:
        action = f"ec2:{operation}"
        request = {"ec2:Region": caller.region, **_request_tags(params)}
        if operation.startswith("Describe"):
            return [Need(action=action, resource="*", account=caller.account, values=lambda: request)]
        named = [self._need(caller, action, identifier, request) for identifier in _identifiers(self._networks, params)]
        made = [_need_to_make(caller, action, _MADE[operation], request)] if operation in _MADE else []
        if params.get("TagSpecifications"):
            tagging = {**request, "ec2:CreateAction": operation}
            made += [_need_to_make(caller, "ec2:CreateTags", kind, tagging) for kind in _tagged_kinds(params)]
        return [*named, *made] or [Need(action=action, resource="*", account=caller.account, values=lambda: request)]

    def _need(self, caller: Caller, action: str, identifier: str, request: Values) -> Need:
        kind = BY_PREFIX[identifier.rpartition("-")[0]]
        record = self._networks.get(kind, identifier)

        def values() -> Values:
            return request if record is None else {**request, **_values_of(record)}

        return Need(action=action, resource=_arn(caller, kind.kind, identifier), account=caller.account, values=values)


def _identifiers(networks: Networks, params: Params) -> list[str]:
    """The ids of what a request names, each once. An association stands for what is associated."""
    found: dict[str, None] = {}
    for value in params.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text.rpartition("-")[0] in BY_PREFIX:
                found[text] = None
    association = params.get("AssociationId")
    if isinstance(association, str):
        found.update(dict.fromkeys(_associated(networks, association)))
    return list(found)


def _associated(networks: Networks, association: str) -> Iterator[str]:
    for table in networks.every(RouteTable):
        yield from (table.id for held in table.associations if held.id == association)
    for acl in networks.every(NetworkAcl):
        yield from (acl.id for held in acl.associations if held.id == association)
    for address in networks.every(ElasticAddress):
        if address.association == association:
            yield address.id
    for vpc in networks.every(Vpc):
        if association in {*(held.id for held in vpc.cidrs), *(held.id for held in vpc.ipv6)}:
            yield vpc.id
    for subnet in networks.every(Subnet):
        if any(held.id == association for held in subnet.ipv6):
            yield subnet.id


def _values_of(record: Resource) -> Values:
    """Condition keys that tell of a resource that is there."""
    values: dict[str, str | tuple[str, ...]] = {}
    for key, value in record.tags.items():
        values[f"aws:ResourceTag/{key}"] = values[f"ec2:ResourceTag/{key}"] = value
    vpc = getattr(record, "vpc", None)
    if vpc is not None:
        values["ec2:Vpc"] = arn_of(record.account, record.region, Vpc.kind, vpc)
    return values


def _need_to_make(caller: Caller, action: str, kind: str, request: Values) -> Need:
    return Need(action=action, resource=_arn(caller, kind, "*"), account=caller.account, values=lambda: request)


def _arn(caller: Caller, kind: str, identifier: str) -> str:
    return arn_of(caller.account, caller.region, kind, identifier)


def _tagged_kinds(params: Params) -> list[str]:
    return [str(item["ResourceType"]) for item in params["TagSpecifications"] if item.get("ResourceType")]


def _request_tags(params: Params) -> dict[str, str | tuple[str, ...]]:
    lists = [item.get("Tags") or [] for item in params.get("TagSpecifications") or []] + [params.get("Tags") or []]
    tags = {tag["Key"]: tag.get("Value") or "" for tags in lists for tag in tags if tag.get("Key")}
    values: dict[str, str | tuple[str, ...]] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    return {**values, "aws:TagKeys": tuple(tags)} if tags else values
