"""A function as answers show it: from the domain's values to the members of the service model.

Presence is exact: a member that AWS leaves out is left out here.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from ingle.control import attached_settings
from ingle.control.variable_encryption import VariableEncryption
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.function import Configuration, LoggingConfig, Package, Version
from ingle.domain.runtimes import runtime_version_arn


class FunctionView:
    """`encryption` makes environment variables readable, for callers who may see them."""

    def __init__(self, encryption: VariableEncryption) -> None:
        self._encryption = encryption

    def configuration_of(self, caller: Caller, version: Version, qualifier: str | None = None) -> dict[str, Any]:
        """A FunctionConfiguration. `qualifier` is what the caller used, and appears in the ARN."""
        return {
            **self.list_entry(caller, version, qualifier),
            "RuntimeVersionConfig": {
                "RuntimeVersionArn": runtime_version_arn(version.configuration.runtime, version.key.region)
            },
            **_states(version),
        }

    def list_entry(self, caller: Caller, version: Version, qualifier: str | None = None) -> dict[str, Any]:
        """A FunctionConfiguration as lists have it: without states and runtime version."""
        shown = {
            "FunctionName": version.key.name,
            "FunctionArn": str(FunctionArn.of(version.key, qualifier)),
            "Version": version.version,
            "RevisionId": version.revision_id,
            "LastModified": last_modified(version.last_modified),
            **_settings(version.configuration, lifecycle.starts_from_snapshot(version)),
            **attached_settings.shown(version.configuration),
        }
        sealed = version.configuration.environment
        if sealed is not None:
            shown["Environment"] = self._encryption.shown(caller, version.key, sealed)
        return shown


def last_modified(epoch_ms: int) -> str:
    """`2024-01-02T03:04:05.678+0000`."""
    moment = datetime.fromtimestamp(epoch_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}+0000"


def code_sha256(package: Package) -> str:
    return base64.b64encode(bytes.fromhex(package.digest)).decode("ascii")


def signature_of(package: Package) -> dict[str, Any]:
    """Who has signed a package; nothing for one without a signature."""
    signature = package.signature
    if signature is None:
        return {}
    return {"SigningProfileVersionArn": signature.profile_version_arn, "SigningJobArn": signature.job_arn}


def _settings(configuration: Configuration, optimised: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Runtime": configuration.runtime,
        "Role": configuration.role,
        "Handler": configuration.handler,
        "CodeSize": configuration.package.size,
        "CodeSha256": code_sha256(configuration.package),
        "Description": configuration.description,
        "Timeout": configuration.timeout,
        "MemorySize": configuration.memory,
        "TracingConfig": {"Mode": configuration.tracing_mode},
        "PackageType": "Zip",
        "Architectures": [configuration.architecture],
        "EphemeralStorage": {"Size": configuration.ephemeral_storage},
        "SnapStart": {"ApplyOn": configuration.snap_start, "OptimizationStatus": "On" if optimised else "Off"},
        "LoggingConfig": _logging(configuration.logging),
        **signature_of(configuration.package),
    }
    if configuration.layers:
        shown["Layers"] = [
            {"Arn": layer.arn, "CodeSize": layer.package.size, **signature_of(layer.package)}
            for layer in configuration.layers
        ]
    if configuration.dead_letter_target is not None:
        shown["DeadLetterConfig"] = {"TargetArn": configuration.dead_letter_target}
    if configuration.tenant_isolation is not None:
        shown["TenancyConfig"] = {"TenantIsolationMode": configuration.tenant_isolation}
    if configuration.kms_key_arn is not None:
        shown["KMSKeyArn"] = configuration.kms_key_arn
    return shown


def _logging(logging: LoggingConfig) -> dict[str, Any]:
    shown = {"LogFormat": logging.format, "LogGroup": logging.group}
    if logging.application_level is not None:
        shown["ApplicationLogLevel"] = logging.application_level
    if logging.system_level is not None:
        shown["SystemLogLevel"] = logging.system_level
    return shown


def _states(version: Version) -> dict[str, Any]:
    status = version.update_status
    states = {
        "State": version.state.value,
        "StateReason": version.state_reason,
        "StateReasonCode": version.state_reason_code,
        "LastUpdateStatus": None if status is None else status.value,
        "LastUpdateStatusReason": version.update_status_reason,
        "LastUpdateStatusReasonCode": version.update_status_reason_code,
    }
    return {member: value for member, value in states.items() if value is not None}
