"""The operations on the policy of a layer version: which other accounts may use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.control import layer_lookup, layer_view
from ingle.control.layer_records import LayerRecords
from ingle.control.ports import Handler
from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.clock import Ids
from ingle.domain.errors import (
    InvalidParameterValue,
    PolicyLengthExceeded,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
)
from ingle.domain.layer import EVERYBODY, Grant, LayerKey, LayerVersion

Params = dict[str, Any]

#: Bytes of a policy's JSON text.
MAX_POLICY = 20_480


class LayerPermissions:
    """Handlers of Lambda's layer permission operations, by the names of the service model."""

    def __init__(self, records: LayerRecords, ids: Ids) -> None:
        self._records = records
        self._ids = ids

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "AddLayerVersionPermission": self.add_layer_version_permission,
            "GetLayerVersionPolicy": self.get_layer_version_policy,
            "RemoveLayerVersionPermission": self.remove_layer_version_permission,
        }

    async def add_layer_version_permission(self, caller: Caller, params: Params) -> Params:
        key = layer_lookup.own_key_of(caller, params["LayerName"], "AddLayerVersionPermission")
        grant = _grant(caller, params)
        async with self._records.exclusive(key):
            version = self._version(key, params)
            if any(existing.sid == grant.sid for existing in version.grants):
                raise ResourceConflict(
                    f"The statement id ({grant.sid}) provided already exists. Please provide a new statement id, or "
                    "remove the existing statement."
                )
            _require_revision(version, params)
            changed = await self._save(version, (*version.grants, grant))
        return {"Statement": layer_view.statement_of(changed, grant), "RevisionId": changed.policy_revision}

    async def get_layer_version_policy(self, caller: Caller, params: Params) -> Params:
        key = layer_lookup.own_key_of(caller, params["LayerName"], "GetLayerVersionPolicy")
        version = self._version(key, params)
        _require_policy(version)
        return {"Policy": layer_view.policy_of(version), "RevisionId": version.policy_revision}

    async def remove_layer_version_permission(self, caller: Caller, params: Params) -> Params:
        key = layer_lookup.own_key_of(caller, params["LayerName"], "RemoveLayerVersionPermission")
        async with self._records.exclusive(key):
            version = self._version(key, params)
            _require_policy(version)
            _require_revision(version, params)
            left = tuple(grant for grant in version.grants if grant.sid != params["StatementId"])
            if left == version.grants:
                raise ResourceNotFound(f"Statement {params['StatementId']} is not found in resource policy.")
            await self._save(version, left)
        return {}

    def _version(self, key: LayerKey, params: Params) -> LayerVersion:
        number = params["VersionNumber"]
        version = self._records.get(key).versions.get(number)
        if version is None:
            raise ResourceNotFound(f"Layer version {key.arn}:{number} does not exist.")
        return version

    async def _save(self, version: LayerVersion, grants: tuple[Grant, ...]) -> LayerVersion:
        changed = replace(version, grants=grants, policy_revision=self._ids.uuid())
        if len(layer_view.policy_of(changed)) > MAX_POLICY:
            raise PolicyLengthExceeded(f"The final policy size is bigger than the limit ({MAX_POLICY}).")
        await self._records.save(self._records.get(version.key).with_version(changed), version.number)
        return changed


def _grant(caller: Caller, params: Params) -> Grant:
    principal, organization = params["Principal"], params.get("OrganizationId")
    if organization is not None and principal != EVERYBODY:
        raise InvalidParameterValue("OrganizationId can only be used with a Principal of *.")
    if principal.isdecimal():
        principal = f"arn:{partition_of(caller.region)}:iam::{principal}:root"
    return Grant(sid=params["StatementId"], principal=principal, organization=organization)


def _require_policy(version: LayerVersion) -> None:
    if not version.grants:
        raise ResourceNotFound("No policy is associated with the given resource.")


def _require_revision(version: LayerVersion, params: Params) -> None:
    if params.get("RevisionId") not in (None, version.policy_revision):
        raise PreconditionFailed(
            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve "
            "the latest Revision Id"
        )
