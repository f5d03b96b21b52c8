"""A layer as answers show it: from the domain's values to the members of the service model. Pure.

Presence is exact: a member that AWS leaves out is left out here.
"""

from __future__ import annotations

import json
from typing import Any

from ingle.control.function_view import code_sha256, last_modified, signature_of
from ingle.domain.access.document import CURRENT_VERSION
from ingle.domain.layer import EVERYBODY, Grant, Layer, LayerVersion


def version_of(version: LayerVersion, location: str) -> dict[str, Any]:
    """A GetLayerVersionResponse. `location` is where the zip can be downloaded."""
    return {
        "Content": {
            "Location": location,
            "CodeSha256": code_sha256(version.package),
            "CodeSize": version.package.size,
            **signature_of(version.package),
        },
        "LayerArn": version.key.arn,
        **list_entry(version),
    }


def list_entry(version: LayerVersion) -> dict[str, Any]:
    """A LayerVersionsListItem."""
    shown: dict[str, Any] = {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": last_modified(version.created),
    }
    if version.runtimes is not None:
        shown["CompatibleRuntimes"] = list(version.runtimes)
    if version.architectures is not None:
        shown["CompatibleArchitectures"] = list(version.architectures)
    if version.license is not None:
        shown["LicenseInfo"] = version.license
    return shown


def layer_entry(layer: Layer, newest: LayerVersion) -> dict[str, Any]:
    """A LayersListItem. `newest` is the newest version that the filters let through."""
    return {
        "LayerName": layer.key.name,
        "LayerArn": layer.key.arn,
        "LatestMatchingVersion": list_entry(newest),
    }


def statement_of(version: LayerVersion, grant: Grant) -> str:
    """The JSON text of one statement of a layer version's policy."""
    return _json(_statement(version, grant))


def policy_of(version: LayerVersion) -> str:
    """The JSON text of a layer version's policy."""
    statements = [_statement(version, grant) for grant in version.grants]
    return _json({"Version": CURRENT_VERSION, "Id": "default", "Statement": statements})


def _statement(version: LayerVersion, grant: Grant) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Principal": EVERYBODY if grant.principal == EVERYBODY else {"AWS": grant.principal},
        "Action": "lambda:GetLayerVersion",
        "Resource": version.arn,
    }
    if grant.organization is not None:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": grant.organization}}
    return statement


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
