"""IpPermissions: rules of security groups as requests name them and answers list them. Pure.

Source of the rules: "Security group rules" in the VPC user guide, and EC2's reference of IpPermission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingle.domain.vpc import SecurityGroup, SecurityGroupRule
from ingle.domain.vpc.security import EVERY
from ingle.supporting.ec2 import prefix_lists
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing, not_together
from ingle.supporting.ec2.ranges import ipv6_network_of, network_of
from ingle.supporting.ec2.scene import Params, Scene

#: Protocols that answers call by name, by number.
NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_NUMBERS = {name: number for number, name in NAMES.items()}
_WITH_PORTS = ("tcp", "udp")
_LAST_PORT = 65535
_LAST_TYPE = 255
_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_DESCRIPTION_RULE = (
    "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One rule that a request names: see `SecurityGroupRule` for the fields."""

    protocol: str
    from_port: int
    to_port: int
    cidr: str | None = None
    cidr6: str | None = None
    group: str | None = None
    group_account: str | None = None
    prefix_list: str | None = None
    description: str | None = None

    def rule(self, scene: Scene, group: SecurityGroup, *, egress: bool, tags: Mapping[str, str]) -> SecurityGroupRule:
        return SecurityGroupRule(
            **scene.place, id=scene.new_id(SecurityGroupRule.prefix), tags=tags, group_id=group.id, egress=egress,
            **self.fields(),
        )  # fmt: skip

    @staticmethod
    def of(rule: SecurityGroupRule) -> Permission:
        return Permission(**{name: getattr(rule, name) for name in Permission.__dataclass_fields__})

    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Permission.__dataclass_fields__}

    @property
    def peer(self) -> str | None:
        return self.cidr or self.cidr6 or self.group or self.prefix_list

    @property
    def meaning(self) -> tuple[object, ...]:
        """What no two rules of a group and a direction have in common."""
        return self.protocol, self.from_port, self.to_port, self.peer

    def __str__(self) -> str:
        """As EC2 prints it."""
        if self.protocol == "-1":
            return f"peer: {self.peer}, ALL, ALLOW"
        if self.protocol in _WITH_PORTS:
            ports = f"from port: {self.from_port}, to port: {self.to_port}"
        else:
            ports = f"type: {self.from_port}, code: {self.to_port}"
        return f"peer: {self.peer}, {self.protocol.upper()}, {ports}, ALLOW"


def named(scene: Scene, params: Params, vpc: str) -> list[Permission]:
    """The rules that a request names, in IpPermissions or by parameters of its own, each once. Raises Ec2Error."""
    given = params.get("IpPermissions")
    shorthand = _shorthand(params)
    if given and shorthand:
        raise not_together("The parameter ipPermissions may not be used with others.")
    found = [rule for item in given or shorthand for rule in _permissions(scene, item, vpc)]
    if not found:
        raise missing("ipPermissions")
    if len({rule.meaning for rule in found}) < len(found):
        raise invalid_value("The same permission must not appear multiple times")
    return found


def _shorthand(params: Params) -> list[dict[str, Any]]:
    """What older clients say in parameters instead of an IpPermission."""
    item = {name: params[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in params}
    if "CidrIp" in params:
        item["IpRanges"] = [{"CidrIp": params["CidrIp"]}]
    if "SourceSecurityGroupName" in params:
        item.setdefault("IpProtocol", "-1")
        pair = {"GroupName": params["SourceSecurityGroupName"], "UserId": params.get("SourceSecurityGroupOwnerId")}
        item["UserIdGroupPairs"] = [{name: value for name, value in pair.items() if value is not None}]
    return [item] if item else []


def _permissions(scene: Scene, item: Mapping[str, Any], vpc: str) -> Iterator[Permission]:
    protocol, start, end = traffic(item.get("IpProtocol"), item.get("FromPort"), item.get("ToPort"))
    base: dict[str, Any] = {"protocol": protocol, "from_port": start, "to_port": end}
    for peer in item.get("IpRanges") or []:
        cidr = str(network_of(_given(peer, "CidrIp", "cidrIp"), "cidrIp"))
        yield Permission(**base, cidr=cidr, description=described(peer.get("Description")))
    for peer in item.get("Ipv6Ranges") or []:
        cidr = str(ipv6_network_of(_given(peer, "CidrIpv6", "cidrIpv6"), "cidrIpv6"))
        yield Permission(**base, cidr6=cidr, description=described(peer.get("Description")))
    for peer in item.get("PrefixListIds") or []:
        prefix_list = prefix_lists.existing(scene, _given(peer, "PrefixListId", "prefixListId"))
        yield Permission(**base, prefix_list=prefix_list.id, description=described(peer.get("Description")))
    for peer in item.get("UserIdGroupPairs") or []:
        group = referenced_group(scene, peer, vpc)
        yield Permission(
            **base, group=group.id, group_account=group.account, description=described(peer.get("Description"))
        )


def _given(peer: Mapping[str, Any], member: str, parameter: str) -> str:
    if member not in peer:
        raise missing(parameter)
    return str(peer[member])


def referenced_group(scene: Scene, peer: Mapping[str, Any], vpc: str) -> SecurityGroup:
    """A group that a rule names, which may be of another account: it has to be in the same VPC all the same."""
    if "GroupId" in peer:
        group = scene.find(SecurityGroup, peer["GroupId"])
        if group.vpc == vpc:
            return group
        raise Ec2Error(
            "InvalidGroup.NotFound",
            f"You have specified two resources that belong to different networks: the security group '{group.id}'.",
        )
    if "GroupName" not in peer:
        raise missing("groupId")
    named_so = (group for group in scene.networks.in_vpc(SecurityGroup, vpc) if group.name == peer["GroupName"])
    found = next(named_so, None)
    if found is None:
        raise Ec2Error("InvalidGroup.NotFound", f"The security group '{peer['GroupName']}' does not exist")
    return found


def described(text: str | None) -> str | None:
    if text is not None and not _DESCRIPTION.fullmatch(text):
        raise invalid_value(_DESCRIPTION_RULE)
    return text or None


def traffic(protocol: str | None, start: int | None, end: int | None) -> tuple[str, int, int]:
    """Protocol and range of a rule, as records have them. Raises Ec2Error."""
    if protocol is None:
        raise missing("ipProtocol")
    known = NAMES.get(protocol, protocol.lower())
    if known in _WITH_PORTS:
        return known, *_ports(start, end)
    if known in ("icmp", "icmpv6"):
        return known, *_icmp(known, start, end)
    if known in ("-1", "all"):
        return "-1", EVERY, EVERY
    if not (known.isascii() and known.isdigit() and len(known) <= 3 and int(known) <= 255):
        raise invalid_value(f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
    return str(int(known)), EVERY, EVERY


def _ports(start: int | None, end: int | None) -> tuple[int, int]:
    if start is None or end is None:
        raise invalid_value("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    if start == EVERY and end == EVERY:
        return 0, _LAST_PORT
    if not (0 <= start <= _LAST_PORT and 0 <= end <= _LAST_PORT) or start > end:
        raise invalid_value(f"Invalid TCP/UDP port range ({start}:{end})")
    return start, end


def _icmp(protocol: str, start: int | None, end: int | None) -> tuple[int, int]:
    if start is None and end is None and protocol == "icmpv6":
        return EVERY, EVERY
    kind, code = EVERY if start is None else start, EVERY if end is None else end
    if start is None or not (EVERY <= kind <= _LAST_TYPE and EVERY <= code <= _LAST_TYPE):
        raise invalid_value(f"ICMP type ({start}) and code ({end}) must be between -1 and {_LAST_TYPE}.")
    if kind == EVERY and code != EVERY:
        raise invalid_value(f"ICMP code ({code}) without a type.")
    return kind, code


# --- answers --------------------------------------------------------------------------------------------------------


def shown(rules: Iterable[SecurityGroupRule]) -> list[dict[str, Any]]:
    """Rules as DescribeSecurityGroups has them: those of the same traffic together."""
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in rules:
        key = rule.protocol, rule.from_port, rule.to_port
        if key not in found:
            found[key] = _empty(rule)
        member, peer = _shown_peer(rule)
        found[key][member].append({**peer, "Description": rule.description})
    return list(found.values())


def _empty(rule: SecurityGroupRule) -> dict[str, Any]:
    ports = {} if rule.protocol not in _NUMBERS else {"FromPort": rule.from_port, "ToPort": rule.to_port}
    lists: dict[str, Any] = {"UserIdGroupPairs": [], "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []}
    return {"IpProtocol": rule.protocol, **ports, **lists}


def _shown_peer(rule: SecurityGroupRule) -> tuple[str, dict[str, Any]]:
    if rule.cidr is not None:
        return "IpRanges", {"CidrIp": rule.cidr}
    if rule.cidr6 is not None:
        return "Ipv6Ranges", {"CidrIpv6": rule.cidr6}
    if rule.prefix_list is not None:
        return "PrefixListIds", {"PrefixListId": rule.prefix_list}
    return "UserIdGroupPairs", {"GroupId": rule.group, "UserId": rule.group_account}
