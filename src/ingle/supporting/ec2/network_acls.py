"""Network ACLs. Pure.

Source of the rules: "Network ACLs" in the VPC user guide. The entries with an asterisk for a number, which refuse what
no other decided, are in answers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ingle.domain.vpc import AclEntry, NetworkAcl, Vpc
from ingle.domain.vpc.routing import LAST_ENTRY, LAST_ENTRY_IPV6
from ingle.domain.vpc.security import EVERY
from ingle.supporting.ec2.associations import holder_of, moved
from ingle.supporting.ec2.defaults import ALL_IPV4
from ingle.supporting.ec2.errors import Ec2Error, in_use, invalid_value, missing
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.ranges import ipv6_network_of, network_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, only_one, token_of
from ingle.supporting.ec2.tags import tags_for

_LAST_NUMBER = 32766
_LAST_PORT = 65535
#: AWS lets an ACL have at most this many entries each way.
_MOST_ENTRIES = 40
_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "all": EVERY}
_NAMES = {6: "tcp", 17: "udp", 1: "icmp"}
_TCP, _UDP, _ICMP, _ICMPV6 = 6, 17, 1, 58


def show(scene: Scene, acl: NetworkAcl) -> dict[str, Any]:
    return {
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc,
        "OwnerId": acl.account,
        "IsDefault": acl.is_default,
        "Entries": [_show_entry(entry) for entry in _all_entries(scene, acl)],
        "Associations": [
            {"NetworkAclAssociationId": held.id, "NetworkAclId": acl.id, "SubnetId": held.subnet}
            for held in acl.associations
        ],
        "Tags": tags_of(acl) or [],
    }


def _all_entries(scene: Scene, acl: NetworkAcl) -> list[AclEntry]:
    """With the last ones: that for IPv6 is there where the VPC has IPv6."""
    vpc = scene.networks.get(Vpc, acl.vpc)
    found = list(acl.entries)
    for egress in (True, False):
        found.append(AclEntry(number=LAST_ENTRY, egress=egress, protocol=EVERY, allow=False, cidr=ALL_IPV4))
        if vpc is not None and vpc.ipv6:
            found.append(AclEntry(number=LAST_ENTRY_IPV6, egress=egress, protocol=EVERY, allow=False, cidr6="::/0"))
    return sorted(found, key=_order)


def _order(entry: AclEntry) -> tuple[bool, int]:
    return not entry.egress, entry.number


def _show_entry(entry: AclEntry) -> dict[str, Any]:
    ports = entry.protocol in (_TCP, _UDP)
    icmp = entry.protocol in (_ICMP, _ICMPV6)
    return {
        "RuleNumber": entry.number,
        "Egress": entry.egress,
        "Protocol": str(entry.protocol),
        "RuleAction": "allow" if entry.allow else "deny",
        "CidrBlock": entry.cidr,
        "Ipv6CidrBlock": entry.cidr6,
        "PortRange": {"From": entry.from_port, "To": entry.to_port} if ports else None,
        "IcmpTypeCode": {"Type": entry.icmp_type, "Code": entry.icmp_code} if icmp else None,
    }


def _filters(scene: Scene) -> Table[NetworkAcl]:
    def entries(field: str) -> Any:
        return lambda acl: [getattr(entry, field) for entry in _all_entries(scene, acl)]

    def ports(field: str) -> Any:
        return lambda acl: [getattr(entry, field) for entry in acl.entries if entry.protocol in (_TCP, _UDP)]

    return {
        **TAGGED,
        "association.association-id": lambda acl: [held.id for held in acl.associations],
        "association.network-acl-id": lambda acl: [acl.id for _ in acl.associations],
        "association.subnet-id": lambda acl: [held.subnet for held in acl.associations],
        "default": lambda acl: [acl.is_default],
        "entry.cidr": entries("cidr"),
        "entry.icmp.code": lambda acl: [entry.icmp_code for entry in acl.entries if entry.protocol == _ICMP],
        "entry.icmp.type": lambda acl: [entry.icmp_type for entry in acl.entries if entry.protocol == _ICMP],
        "entry.ipv6-cidr": entries("cidr6"),
        "entry.port-range.from": ports("from_port"),
        "entry.port-range.to": ports("to_port"),
        "entry.protocol": lambda acl: [
            text for entry in _all_entries(scene, acl) for text in (str(entry.protocol), _NAMES.get(entry.protocol))
        ],
        "entry.rule-action": lambda acl: ["allow" if entry.allow else "deny" for entry in _all_entries(scene, acl)],
        "entry.egress": entries("egress"),
        "entry.rule-number": entries("number"),
        "network-acl-id": lambda acl: [acl.id],
        "vpc-id": lambda acl: [acl.vpc],
    }


def describe(scene: Scene, params: Params) -> Outcome:
    return described(
        scene, params, NetworkAcl, "NetworkAcls", lambda acl: show(scene, acl), _filters(scene), ids="NetworkAclIds"
    )


def create(scene: Scene, params: Params) -> Outcome:
    """Without entries: it refuses everything."""
    before = scene.repeated(NetworkAcl, params)
    if before is not None:
        return Outcome({"NetworkAcl": show(scene, before), "ClientToken": params["ClientToken"]})
    vpc = scene.find(Vpc, params["VpcId"])
    acl = NetworkAcl(
        **scene.place, id=scene.new_id(NetworkAcl.prefix), tags=tags_for(params, NetworkAcl), vpc=vpc.id,
        client_token=token_of(params),
    )  # fmt: skip
    return Outcome({"NetworkAcl": show(scene, acl), "ClientToken": params.get("ClientToken")}, put=[acl])


def delete(scene: Scene, params: Params) -> Outcome:
    acl = scene.find(NetworkAcl, params["NetworkAclId"])
    if acl.is_default:
        raise invalid_value(f"cannot delete default network ACL {acl.id}")
    if acl.associations:
        raise in_use("networkAcl", acl.id)
    return Outcome({}, removed=[acl])


# --- entries --------------------------------------------------------------------------------------------------------


def create_entry(scene: Scene, params: Params) -> Outcome:
    acl = scene.find(NetworkAcl, params["NetworkAclId"])
    entry = _entry(params)
    if _at(acl, entry.number, egress=entry.egress) is not None:
        raise Ec2Error(
            "NetworkAclEntryAlreadyExists", f"The network acl entry identified by {entry.number} already exists."
        )
    if sum(held.egress == entry.egress for held in acl.entries) >= _MOST_ENTRIES:
        raise Ec2Error("NetworkAclEntryLimitExceeded", f"The maximum number of entries of {acl.id} has been reached.")
    return Outcome({}, put=[_with(acl, [*acl.entries, entry])])


def replace_entry(scene: Scene, params: Params) -> Outcome:
    acl = scene.find(NetworkAcl, params["NetworkAclId"])
    entry = _entry(params)
    there = _there(acl, entry.number, egress=entry.egress)
    return Outcome({}, put=[_with(acl, [entry if held is there else held for held in acl.entries])])


def delete_entry(scene: Scene, params: Params) -> Outcome:
    acl = scene.find(NetworkAcl, params["NetworkAclId"])
    there = _there(acl, params["RuleNumber"], egress=params["Egress"])
    return Outcome({}, put=[_with(acl, [held for held in acl.entries if held is not there])])


def _with(acl: NetworkAcl, entries: Sequence[AclEntry]) -> NetworkAcl:
    return replace(acl, entries=tuple(sorted(entries, key=_order)))


def _at(acl: NetworkAcl, number: int, *, egress: bool) -> AclEntry | None:
    return next((held for held in acl.entries if (held.number, held.egress) == (number, egress)), None)


def _there(acl: NetworkAcl, number: int, *, egress: bool) -> AclEntry:
    found = _at(acl, number, egress=egress)
    if found is None:
        way = "egress" if egress else "ingress"
        raise Ec2Error(
            "InvalidNetworkAclEntry.NotFound",
            f"The network acl {way} entry identified by {number} does not exist in {acl.id}.",
        )
    return found


def _entry(params: Params) -> AclEntry:
    number = params["RuleNumber"]
    if not 1 <= number <= _LAST_NUMBER:
        raise invalid_value(f"Invalid value '{number}' for ruleNumber. It must be between 1 and {_LAST_NUMBER}.")
    name = only_one(
        params, ("CidrBlock", "Ipv6CidrBlock"), several="Specify either cidrBlock or ipv6CidrBlock.", none="cidrBlock"
    )
    found: dict[str, Any] = {"number": number, "egress": params["Egress"], "allow": params["RuleAction"] == "allow"}
    if name == "CidrBlock":
        found["cidr"] = str(network_of(params["CidrBlock"], "cidrBlock"))
    else:
        found["cidr6"] = str(ipv6_network_of(params["Ipv6CidrBlock"], "ipv6CidrBlock"))
    protocol = _protocol(params["Protocol"])
    if protocol in (_TCP, _UDP):
        found["from_port"], found["to_port"] = _ports(params)
    elif protocol in (_ICMP, _ICMPV6):
        found["icmp_type"], found["icmp_code"] = _icmp(params)
    return AclEntry(**found, protocol=protocol)


def _protocol(text: str) -> int:
    if text.lower() in _NUMBERS:
        return _NUMBERS[text.lower()]
    number = text.removeprefix("-")
    if not (number.isascii() and number.isdigit() and len(number) <= 3) or not EVERY <= int(text) <= 255:
        raise invalid_value(f"Invalid value '{text}' for protocol.")
    return int(text)


def _ports(params: Params) -> tuple[int, int]:
    given = params.get("PortRange") or {}
    if "From" not in given or "To" not in given:
        raise missing("portRange")
    start, end = given["From"], given["To"]
    if not 0 <= start <= end <= _LAST_PORT:
        raise invalid_value(f"Invalid port range ({start}:{end}).")
    return start, end


def _icmp(params: Params) -> tuple[int, int]:
    given = params.get("IcmpTypeCode") or {}
    if "Type" not in given or "Code" not in given:
        raise missing("icmpTypeCode")
    kind, code = given["Type"], given["Code"]
    if not (EVERY <= kind <= 255 and EVERY <= code <= 255):
        raise invalid_value(f"Invalid ICMP type ({kind}) or code ({code}).")
    return kind, code


# --- associations ---------------------------------------------------------------------------------------------------


def replace_association(scene: Scene, params: Params) -> Outcome:
    identifier = params["AssociationId"]
    acl = holder_of(scene, NetworkAcl, identifier)
    wanted = scene.find(NetworkAcl, params["NetworkAclId"])
    if wanted.vpc != acl.vpc:
        raise invalid_value(f"Network ACLs {wanted.id} and {acl.id} belong to different networks")
    new = scene.new_id("aclassoc")
    return Outcome({"NewAssociationId": new}, put=moved(acl, wanted, identifier, new))


OPERATIONS: dict[str, Decide] = {
    "CreateNetworkAcl": create,
    "DescribeNetworkAcls": describe,
    "DeleteNetworkAcl": delete,
    "CreateNetworkAclEntry": create_entry,
    "ReplaceNetworkAclEntry": replace_entry,
    "DeleteNetworkAclEntry": delete_entry,
    "ReplaceNetworkAclAssociation": replace_association,
}
