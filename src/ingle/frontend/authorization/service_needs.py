"""What the operations of the other services need: IAM, STS, CloudWatch Logs, CloudWatch, tagging.

Source: "Actions, resources, and condition keys" of each. Services that are not here need `service:Operation` on `*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.catalog.identities import Identities, compiled
from ingle.domain.access.document import Document, Use
from ingle.domain.access.principals import Kind
from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.identity import Group, ManagedPolicy, Role, User
from ingle.frontend.authorization.needs import Need

Params = Mapping[str, Any]

#: Operations of IAM that are about a whole kind, with the kind.
_KINDS = {"ListUsers": "user", "ListGroups": "group", "ListRoles": "role", "ListPolicies": "policy"}
_NOTHING = Document(denies=(), allows=())


class IamNeeds:
    """`__call__` is a `needs.NeedsOf`. A resource that does not exist yet is where it would be."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def __call__(self, caller: Caller, operation: str, params: Params) -> list[Need]:
        resource = self._resource(caller, operation, params)
        values = self._values(caller, params)
        account = resource.split(":", 5)[4] if resource != "*" else caller.account
        # AWS's own policies are everybody's to read.
        owner = caller.account if account in ("", "aws") else account
        return [Need(action=f"iam:{operation}", resource=resource, account=owner, values=lambda: values)]

    def _resource(self, caller: Caller, operation: str, params: Params) -> str:
        base = f"arn:aws:iam::{caller.account}:"
        if operation in _KINDS:
            return f"{base}{_KINDS[operation]}{params.get('PathPrefix', '/')}"
        for kind, member in ((Role, "RoleName"), (Group, "GroupName"), (User, "UserName")):
            if member in params:
                found: Any = self._identities.get(kind, caller.account, params[member])
                if found is not None:
                    return str(found.arn)
                return f"{base}{kind.kind}{params.get('Path', '/')}{params[member]}"
        if "PolicyArn" in params:
            return str(params["PolicyArn"])
        if operation == "CreatePolicy":
            return f"{base}policy{params.get('Path', '/')}{params['PolicyName']}"
        return caller.principal.arn if caller.principal.kind is Kind.USER else "*"

    def _values(self, caller: Caller, params: Params) -> dict[str, str | tuple[str, ...]]:
        values = _tag_values(params)
        if "PermissionsBoundary" in params:
            values["iam:PermissionsBoundary"] = params["PermissionsBoundary"]
        if "PolicyArn" in params:
            values["iam:PolicyARN"] = params["PolicyArn"]
        holder: Any = None
        if "RoleName" in params:
            holder = self._identities.get(Role, caller.account, params["RoleName"])
        elif "UserName" in params:
            holder = self._identities.get(User, caller.account, params["UserName"])
        elif "PolicyArn" in params:
            holder = self._identities.managed(params["PolicyArn"])
        if isinstance(holder, Role | User) and holder.boundary is not None:
            values.setdefault("iam:PermissionsBoundary", holder.boundary)
        if isinstance(holder, Role | User | ManagedPolicy):
            for key, value in holder.tags.items():
                values[f"iam:ResourceTag/{key}"] = values[f"aws:ResourceTag/{key}"] = value
        return values


class StsNeeds:
    """AssumeRole is the role's trust policy's to allow. Everybody may ask who they are."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def __call__(self, caller: Caller, operation: str, params: Params) -> list[Need]:
        if operation == "GetCallerIdentity":
            return []
        if operation != "AssumeRole":
            return [Need(action=f"sts:{operation}", resource="*", account=caller.account)]
        arn = params["RoleArn"]
        role = self._identities.role(arn)
        trust = _NOTHING if role is None else compiled(role.trust, Use.TRUST, "trust policy")
        parts = arn.split(":", 5)
        account = role.account if role is not None else parts[4] if len(parts) == 6 else ""
        values = self._values(role, params)
        actions = ["AssumeRole"]
        if params.get("Tags"):
            actions.append("TagSession")
        if "SourceIdentity" in params:
            actions.append("SetSourceIdentity")
        return [
            Need(
                action=f"sts:{action}", resource=arn, account=account, policy=trust, governs=True,
                values=lambda: values,
                denied=f"User: {caller.principal.arn} is not authorized to perform: sts:{action} on resource: {arn}",
            )
            for action in actions
        ]  # fmt: skip

    def _values(self, role: Role | None, params: Params) -> dict[str, str | tuple[str, ...]]:
        values = _tag_values(params)
        named = {
            "sts:ExternalId": "ExternalId", "sts:RoleSessionName": "RoleSessionName",
            "sts:SourceIdentity": "SourceIdentity",
        }  # fmt: skip
        values.update({key: params[member] for key, member in named.items() if member in params})
        for key, value in {} if role is None else role.tags.items():
            values[f"iam:ResourceTag/{key}"] = values[f"aws:ResourceTag/{key}"] = value
        return values


def logs_needs(caller: Caller, operation: str, params: Params) -> list[Need]:
    """On log groups and streams, as their ARNs in refusals of AWS look."""
    base = f"arn:{partition_of(caller.region)}:logs:{caller.region}:{caller.account}:log-group:"
    named = params.get("resourceArn") or params.get("logGroupIdentifier") or params.get("logGroupArn") or ""
    if named.startswith("arn:"):
        resource = named
    else:
        group = params.get("logGroupName") or named
        resource = f"{base}{group}:log-stream:{params.get('logStreamName', '')}"
    parts = resource.split(":", 5)
    account = parts[4] if len(parts) == 6 else caller.account
    values = _tag_values({"Tags": params.get("tags"), "TagKeys": params.get("tagKeys")})
    return [Need(action=f"logs:{operation}", resource=resource, account=account, values=lambda: values)]


def cloudwatch_needs(caller: Caller, operation: str, params: Params) -> list[Need]:
    values = {"cloudwatch:namespace": params["Namespace"]} if "Namespace" in params else {}
    return [Need(action=f"cloudwatch:{operation}", resource="*", account=caller.account, values=lambda: values)]


def kms_needs(caller: Caller, operation: str, params: Params) -> list[Need]:
    """What KMS asks its own authority about, see `authorization.kms`, is not asked here again."""
    if operation == "GenerateRandom":
        return [Need(action="kms:GenerateRandom", resource="*", account=caller.account)]
    return []


def tagging_needs(caller: Caller, operation: str, params: Params) -> list[Need]:
    """Tagging each resource is the business of its own service, see `authorizer.AuthorisedTags`."""
    return [Need(action=f"tag:{operation}", resource="*", account=caller.account)]


def _tag_values(params: Params) -> dict[str, str | tuple[str, ...]]:
    """`Tags` as a map or as a list of Key and Value."""
    tags = params.get("Tags") or {}
    pairs = dict(tags) if isinstance(tags, Mapping) else {tag["Key"]: tag["Value"] for tag in tags}
    values: dict[str, str | tuple[str, ...]] = {f"aws:RequestTag/{key}": value for key, value in pairs.items()}
    keys = tuple(params.get("TagKeys") or pairs)
    return {**values, "aws:TagKeys": keys} if keys else values
