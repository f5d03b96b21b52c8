"""Identities as answers show them: from the domain's values to the members of the service model. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ingle.domain.identity import AccessKey, Entity, Group, ManagedPolicy, PolicyVersion, Role, User


def document_of(text: str) -> str:
    """A policy as IAM answers it: percent-encoded."""
    return quote(text, safe="-_.~")


def tags_of(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _entity(entity: Entity, name: str, identifier: str) -> dict[str, Any]:
    return {
        "Path": entity.path, name: entity.name, identifier: entity.id, "Arn": entity.arn, "CreateDate": entity.created,
    }  # fmt: skip


def _limited(boundary: str | None, tags: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if whole and boundary is not None:
        shown["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    if whole and tags:
        shown["Tags"] = tags_of(tags)
    return shown


def user_of(user: User, *, whole: bool = True) -> dict[str, Any]:
    """`whole`: with what lists leave out."""
    return {**_entity(user, "UserName", "UserId"), **_limited(user.boundary, user.tags, whole=whole)}


def group_of(group: Group) -> dict[str, Any]:
    return _entity(group, "GroupName", "GroupId")


def role_of(role: Role, *, whole: bool = True) -> dict[str, Any]:
    shown = {
        **_entity(role, "RoleName", "RoleId"),
        "AssumeRolePolicyDocument": document_of(role.trust),
        "MaxSessionDuration": role.max_session,
        **_limited(role.boundary, role.tags, whole=whole),
    }
    if role.description is not None:
        shown["Description"] = role.description
    return shown


def key_of(key: AccessKey) -> dict[str, Any]:
    """An AccessKeyMetadata; the root's keys have no user name."""
    shown = {
        "AccessKeyId": key.id, "Status": "Active" if key.active else "Inactive", "CreateDate": key.created,
    }  # fmt: skip
    return shown if key.user is None else {"UserName": key.user, **shown}


def policy_of(policy: ManagedPolicy, attachments: int, boundaries: int, *, whole: bool = True) -> dict[str, Any]:
    shown = {
        "PolicyName": policy.name, "PolicyId": policy.id, "Arn": policy.arn, "Path": policy.path,
        "DefaultVersionId": policy.default, "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries, "IsAttachable": True, "CreateDate": policy.created,
        "UpdateDate": policy.updated,
    }  # fmt: skip
    if whole and policy.description is not None:
        shown["Description"] = policy.description
    if whole and policy.tags:
        shown["Tags"] = tags_of(policy.tags)
    return shown


def version_of(policy: ManagedPolicy, number: str, version: PolicyVersion, *, whole: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "VersionId": number, "IsDefaultVersion": number == policy.default, "CreateDate": version.created,
    }  # fmt: skip
    if whole:
        shown["Document"] = document_of(version.text)
    return shown
