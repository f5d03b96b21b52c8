"""Tags of everything in a network: CreateTags, DeleteTags, DescribeTags, and TagSpecifications of creations. Pure.

Source of the rules: "Tag your Amazon EC2 resources" in the EC2 user guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ingle.domain.tags import MOST_TAGS, is_reserved
from ingle.domain.vpc import BY_PREFIX, Opened, Resource
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing
from ingle.supporting.ec2.filters import Table, selected
from ingle.supporting.ec2.pages import page
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene

_LONGEST_KEY = 128
_LONGEST_VALUE = 256
_TAGGABLE = {prefix: kind for prefix, kind in BY_PREFIX.items() if kind is not Opened}


def tags_for(params: Params, kind: type[Resource]) -> dict[str, str]:
    """The tags that a creation gives to what it makes. Raises Ec2Error."""
    return tags_by_type(params, {kind.kind})[kind.kind]


def tags_by_type(params: Params, kinds: Iterable[str]) -> dict[str, dict[str, str]]:
    """The same where a creation makes several kinds."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for specification in params.get("TagSpecifications") or []:
        named = specification.get("ResourceType")
        if named is None:
            raise missing("TagSpecification.ResourceType")
        if named not in found:
            raise invalid_value(f"'{named}' is not a valid taggable resource type for this operation.")
        if found[named]:
            raise invalid_value("Duplicate resource type in tag specification.")
        found[named] = checked({}, specification.get("Tags") or [])
    return found


def checked(current: Mapping[str, str], given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """`current` with the tags that a request gives. Raises Ec2Error."""
    added: dict[str, str] = {}
    for tag in given:
        key, value = tag.get("Key"), tag.get("Value") or ""
        if not key:
            raise invalid_value("Tag key cannot be null or empty.")
        if len(key) > _LONGEST_KEY:
            raise invalid_value(f"Tag key exceeds the maximum length of {_LONGEST_KEY} characters")
        if len(value) > _LONGEST_VALUE:
            raise invalid_value(f"Tag value exceeds the maximum length of {_LONGEST_VALUE} characters")
        if is_reserved(key):
            raise invalid_value("Tag keys starting with 'aws:' are reserved for internal use")
        if key in added:
            raise invalid_value(f"Duplicate tag key '{key}' specified.")
        added[key] = value
    wanted = {**current, **added}
    if len(wanted) > MOST_TAGS:
        raise Ec2Error("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    return wanted


def create_tags(scene: Scene, params: Params) -> Outcome:
    if not params["Resources"]:
        raise missing("resourceIdSet")
    if not params["Tags"]:
        raise missing("tagSet")
    records = [_tagged(scene, identifier) for identifier in dict.fromkeys(params["Resources"])]
    return Outcome({}, put=[replace(record, tags=checked(record.tags, params["Tags"])) for record in records])


def delete_tags(scene: Scene, params: Params) -> Outcome:
    """Without tags all go; a tag without a value goes whatever its value is. Nothing is missed."""
    records = [_tagged(scene, identifier) for identifier in dict.fromkeys(params["Resources"])]
    changed = []
    for record in records:
        left = {key: value for key, value in record.tags.items() if not _goes(key, value, params.get("Tags"))}
        if left != record.tags:
            changed.append(replace(record, tags=left))
    return Outcome({}, put=changed)


def _goes(key: str, value: str, given: list[Mapping[str, str]] | None) -> bool:
    return not given or any(tag.get("Key") == key and tag.get("Value") in (None, value) for tag in given)


def _tagged(scene: Scene, identifier: str) -> Resource:
    kind = _TAGGABLE.get(identifier.rpartition("-")[0])
    if kind is None:
        raise Ec2Error("InvalidID", f"The ID '{identifier}' is not valid")
    return scene.find(kind, identifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    record: Resource
    key: str
    value: str

    @property
    def tags(self) -> Mapping[str, str]:
        return {self.key: self.value}


_FILTERS: Table[_Tag] = {
    "key": lambda tag: [tag.key],
    "tag-key": lambda tag: [tag.key],
    "value": lambda tag: [tag.value],
    "resource-id": lambda tag: [tag.record.id],
    "resource-type": lambda tag: [tag.record.kind],
}


def describe_tags(scene: Scene, params: Params) -> Outcome:
    records = [record for kind in _TAGGABLE.values() for record in scene.mine(kind)]
    tags = [_Tag(record=record, key=key, value=value) for record in records for key, value in record.tags.items()]

    def show(tag: _Tag) -> dict[str, str]:
        record = tag.record
        return {"Key": tag.key, "Value": tag.value, "ResourceId": record.id, "ResourceType": record.kind}

    return page("Tags", selected(tags, params, _FILTERS), params, lambda tag: f"{tag.record.id} {tag.key}", show)


OPERATIONS: dict[str, Decide] = {
    "CreateTags": create_tags, "DeleteTags": delete_tags, "DescribeTags": describe_tags,
}  # fmt: skip
