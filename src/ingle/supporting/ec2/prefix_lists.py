"""Prefix lists: a customer's own, and the names of AWS's, which have no entries here. Pure.

Source of the rules: "Managed prefix lists" in the VPC user guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from ingle.domain.vpc import PrefixList, PrefixListEntry, RouteTable, SecurityGroupRule
from ingle.domain.vpc.resource import arn_of
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing
from ingle.supporting.ec2.filters import Table
from ingle.supporting.ec2.pages import described, page, tags_of
from ingle.supporting.ec2.ranges import ipv6_network_of, network_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, token_of
from ingle.supporting.ec2.tags import tags_for

AWS = "AWS"
_SERVICES = ("s3", "dynamodb")
_FAMILIES = ("IPv4", "IPv6")
_MOST_ENTRIES = 1000
_LONGEST_NAME = 255
_MOST_AT_ONCE = 100


def known_lists(region: str) -> list[PrefixList]:
    """Those of AWS's own services that have gateways in a VPC."""
    return [
        PrefixList(
            account=AWS, region=region, name=f"com.amazonaws.{region}.{service}", family="IPv4", max_entries=1,
            id=f"pl-{sha256(f'{region} {service}'.encode()).hexdigest()[:8]}", versions=((),),
        )
        for service in _SERVICES
    ]  # fmt: skip


def existing(scene: Scene, identifier: str) -> PrefixList:
    """A list of the caller's or of AWS's. Raises Ec2Error."""
    known = (found for found in known_lists(scene.region) if found.id == identifier)
    return next(known, None) or scene.find(PrefixList, identifier)


def show(found: PrefixList) -> dict[str, Any]:
    of_aws = found.account == AWS
    return {
        "PrefixListId": found.id,
        "PrefixListArn": arn(found),
        "PrefixListName": found.name,
        "AddressFamily": found.family,
        "State": found.state,
        "MaxEntries": None if of_aws else found.max_entries,
        "Version": None if of_aws else found.version,
        "OwnerId": found.account,
        "Tags": tags_of(found) or [],
    }


def arn(found: PrefixList) -> str:
    account = AWS.lower() if found.account == AWS else found.account
    return arn_of(account, found.region, found.kind, found.id)


_FILTERS: Table[PrefixList] = {
    "owner-id": lambda found: [found.account],
    "prefix-list-id": lambda found: [found.id],
    "prefix-list-name": lambda found: [found.name],
    "tag": lambda found: [f"{key}={value}" for key, value in found.tags.items()],
    "tag-key": lambda found: found.tags,
}


def describe(scene: Scene, params: Params) -> Outcome:
    every = [*scene.mine(PrefixList), *known_lists(scene.region)]
    return described(scene, params, PrefixList, "PrefixLists", show, _FILTERS, ids="PrefixListIds", records=every)


def describe_services(scene: Scene, params: Params) -> Outcome:
    """DescribePrefixLists knows AWS's only."""

    def shown(item: PrefixList) -> dict[str, Any]:
        return {"PrefixListId": item.id, "PrefixListName": item.name, "Cidrs": []}

    return described(
        scene, params, PrefixList, "PrefixLists", shown, _FILTERS, ids="PrefixListIds",
        records=known_lists(scene.region),
    )  # fmt: skip


def entries(scene: Scene, params: Params) -> Outcome:
    found = existing(scene, params["PrefixListId"])
    version = params.get("TargetVersion", found.version)
    if not 1 <= version <= found.version:
        raise Ec2Error("InvalidPrefixListVersion", f"The prefix list version '{version}' does not exist.")

    def shown(entry: PrefixListEntry) -> dict[str, Any]:
        return {"Cidr": entry.cidr, "Description": entry.description}

    return page("Entries", found.versions[version - 1], params, lambda entry: entry.cidr, shown)


def associations(scene: Scene, params: Params) -> Outcome:
    found = scene.find(PrefixList, params["PrefixListId"])
    users = [(identifier, scene.account) for identifier in users_of(scene, found)]

    def shown(user: tuple[str, str]) -> dict[str, Any]:
        return {"ResourceId": user[0], "ResourceOwner": user[1]}

    return page("PrefixListAssociations", users, params, lambda user: user[0], shown)


def users_of(scene: Scene, found: PrefixList) -> set[str]:
    """The groups and route tables that name a list."""
    groups = {rule.group_id for rule in scene.mine(SecurityGroupRule) if rule.prefix_list == found.id}
    tables = {
        table.id for table in scene.mine(RouteTable) if any(route.prefix_list == found.id for route in table.routes)
    }
    return groups | tables


# --- changes --------------------------------------------------------------------------------------------------------


def create(scene: Scene, params: Params) -> Outcome:
    before = scene.repeated(PrefixList, params)
    if before is not None:
        return Outcome({"PrefixList": show(before)})
    family, name, most = params["AddressFamily"], params["PrefixListName"], params["MaxEntries"]
    if family not in _FAMILIES:
        raise invalid_value(f"Invalid value '{family}' for AddressFamily. Valid values are IPv4 and IPv6.")
    _check_name(name)
    _check_most(most)
    wanted = _entries(params.get("Entries") or [], family)
    _check_room(wanted, most)
    made = PrefixList(
        **scene.place, id=scene.new_id(PrefixList.prefix), tags=tags_for(params, PrefixList), name=name,
        family=family, max_entries=most, versions=(tuple(wanted),), client_token=token_of(params),
    )  # fmt: skip
    return Outcome({"PrefixList": {**show(made), "State": "create-in-progress"}}, put=[made])


def modify(scene: Scene, params: Params) -> Outcome:
    """Changes of entries make a version, and want to know the one that they change; other changes make none."""
    found = scene.find(PrefixList, params["PrefixListId"])
    added, removed = params.get("AddEntries") or [], params.get("RemoveEntries") or []
    if "MaxEntries" in params and (added or removed):
        raise invalid_value("You cannot modify the entries of a prefix list and modify its size at the same time.")
    name, most = params.get("PrefixListName", found.name), params.get("MaxEntries", found.max_entries)
    _check_name(name)
    _check_most(most)
    changed = replace(found, name=name, max_entries=most, state="modify-complete")
    if added or removed:
        _check_version(found, params)
        changed = replace(changed, versions=(*found.versions, _changed(found, added, removed)))
    _check_room(changed.entries, most)
    return Outcome({"PrefixList": {**show(changed), "State": "modify-in-progress"}}, put=[changed])


def restore(scene: Scene, params: Params) -> Outcome:
    found = scene.find(PrefixList, params["PrefixListId"])
    _check_version(found, params)
    wanted = params["PreviousVersion"]
    if not 1 <= wanted <= found.version:
        raise Ec2Error("InvalidPrefixListVersion", f"The prefix list version '{wanted}' does not exist.")
    restored = (*found.versions, found.versions[wanted - 1])
    changed = replace(found, versions=restored, state="restore-complete")
    return Outcome({"PrefixList": {**show(changed), "State": "restore-in-progress"}}, put=[changed])


def delete(scene: Scene, params: Params) -> Outcome:
    found = scene.find(PrefixList, params["PrefixListId"])
    if users_of(scene, found):
        raise Ec2Error("DependencyViolation", f"The prefix list '{found.id}' is in use and cannot be deleted.")
    return Outcome({"PrefixList": {**show(found), "State": "delete-in-progress"}}, removed=[found])


def _changed(
    found: PrefixList, added: Sequence[dict[str, Any]], removed: Sequence[dict[str, Any]]
) -> tuple[PrefixListEntry, ...]:
    if len(added) > _MOST_AT_ONCE or len(removed) > _MOST_AT_ONCE:
        raise invalid_value(f"You can add or remove at most {_MOST_AT_ONCE} entries in one request.")
    gone = {entry.cidr for entry in _entries(removed, found.family)}
    there = {entry.cidr: entry for entry in found.entries}
    absent = gone - set(there)
    if absent:
        raise invalid_value(f"The prefix list does not have the entry '{min(absent)}'.")
    there = {cidr: entry for cidr, entry in there.items() if cidr not in gone}
    return tuple({**there, **{entry.cidr: entry for entry in _entries(added, found.family)}}.values())


def _entries(given: Sequence[dict[str, Any]], family: str) -> list[PrefixListEntry]:
    found: dict[str, PrefixListEntry] = {}
    for item in given:
        if "Cidr" not in item:
            raise missing("cidr")
        text = item["Cidr"]
        cidr = str(network_of(text, "cidr") if family == "IPv4" else ipv6_network_of(text, "cidr"))
        if cidr in found:
            raise invalid_value(f"The entry '{cidr}' appears more than once.")
        if len(item.get("Description") or "") > _LONGEST_NAME:
            raise invalid_value(f"A description has at most {_LONGEST_NAME} characters.")
        found[cidr] = PrefixListEntry(cidr=cidr, description=item.get("Description") or None)
    return list(found.values())


def _check_name(name: str) -> None:
    if not 0 < len(name) <= _LONGEST_NAME or name.startswith("com.amazonaws"):
        raise invalid_value(f"Invalid value '{name}' for PrefixListName.")


def _check_most(most: int) -> None:
    if not 1 <= most <= _MOST_ENTRIES:
        raise invalid_value(f"Invalid value '{most}' for MaxEntries. Valid values are 1 to {_MOST_ENTRIES}.")


def _check_room(wanted: Sequence[PrefixListEntry], most: int) -> None:
    if len(wanted) > most:
        raise Ec2Error(
            "PrefixListMaxEntriesExceeded", f"The prefix list would have {len(wanted)} entries, and {most} at most."
        )


def _check_version(found: PrefixList, params: Params) -> None:
    current = params.get("CurrentVersion")
    if current is None:
        raise missing("currentVersion")
    if current != found.version:
        raise Ec2Error(
            "PrefixListVersionMismatch",
            f"The prefix list has a different version number than {current}; its current version is {found.version}.",
        )


OPERATIONS: dict[str, Decide] = {
    "CreateManagedPrefixList": create,
    "DescribeManagedPrefixLists": describe,
    "DescribePrefixLists": describe_services,
    "ModifyManagedPrefixList": modify,
    "RestoreManagedPrefixListVersion": restore,
    "DeleteManagedPrefixList": delete,
    "GetManagedPrefixListEntries": entries,
    "GetManagedPrefixListAssociations": associations,
}
