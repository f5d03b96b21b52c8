"""From the members of a request to a function's Configuration: validation, defaults, and how an update merges.

Pure but for the day that it is given. It translates the API's members once; nothing else in `control` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from ingle.control import attached_settings, constraints, environment_variables, logging_settings
from ingle.domain import runtimes
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.event_invoke_config import Destination
from ingle.domain.function import PUBLISHED_VERSIONS, Configuration, LoggingConfig, Package

#: Bounds for functions that run on demand. The service model's are those of other compute types.
MAX_TIMEOUT_SECONDS = 900
MAX_MEMORY_MB = 10240
MAX_EPHEMERAL_STORAGE_MB = 10240
MAX_LAYERS = 5
MAX_NAME_LENGTH = 64

_DEFAULTS = Configuration(runtime="", handler="", role="", package=Package(digest="", size=0))


def validate_name(name: str) -> None:
    """Raise InvalidParameterValue for a name of more than 64 characters: that is AWS's code for this one constraint."""
    if len(name) > MAX_NAME_LENGTH:
        constraint = f"Member must have length less than or equal to {MAX_NAME_LENGTH}"
        raise InvalidParameterValue(constraints.detected([constraints.violation(name, "functionName", constraint)]))


def validate_new(params: Mapping[str, Any], region: str, day: date) -> None:
    """Raise what is wrong with the settings of CreateFunction, as far as that needs no stored state."""
    _validate_common(params)
    if params.get("PackageType", "Zip") == "Image":
        _validate_image(params)
        return
    if not params.get("Runtime") or not params.get("Handler"):
        raise InvalidParameterValue(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    _refuse_image_config(params, "creating")
    runtimes.require_creatable(params["Runtime"], day)
    _validate_wanted(changed(_DEFAULTS, params), region)


def validate_change(params: Mapping[str, Any], current: Configuration, region: str, day: date) -> None:
    """Raise what is wrong with the settings of UpdateFunctionConfiguration for a function that has `current`.

    A change of runtime needs one that may be created with; keeping one needs one that may be updated.
    """
    _validate_common(params)
    _refuse_image_config(params, "updating")
    runtime = params.get("Runtime", current.runtime)
    if runtime == current.runtime:
        runtimes.require_updatable(runtime, day)
    else:
        runtimes.require_creatable(runtime, day)
    _validate_wanted(changed(current, params), region)


def new(name: str, params: Mapping[str, Any], package: Package) -> Configuration:
    """The Configuration of a new function, with AWS's defaults. Raises InvalidParameterValue for the log levels."""
    base = replace(
        _DEFAULTS,
        package=package,
        logging=LoggingConfig(group=logging_settings.default_group(name)),
        architecture=architecture_of(params, _DEFAULTS),
        tenant_isolation=params.get("TenancyConfig", {}).get("TenantIsolationMode"),
    )
    return changed(base, params)


def changed(current: Configuration, params: Mapping[str, Any]) -> Configuration:
    """`current` with the settings of a request: absent members stay, present ones replace, LoggingConfig merges.

    Environment variables are `control.variable_encryption`'s to put in.
    """
    return replace(
        current,
        runtime=params.get("Runtime", current.runtime),
        handler=params.get("Handler", current.handler),
        role=params.get("Role", current.role),
        description=params.get("Description", current.description),
        timeout=params.get("Timeout", current.timeout),
        memory=params.get("MemorySize", current.memory),
        ephemeral_storage=params.get("EphemeralStorage", {}).get("Size", current.ephemeral_storage),
        tracing_mode=params.get("TracingConfig", {}).get("Mode", current.tracing_mode),
        snap_start=params.get("SnapStart", {}).get("ApplyOn", current.snap_start),
        vpc=attached_settings.vpc_of(params, current.vpc),
        file_systems=attached_settings.file_systems_of(params, current.file_systems),
        dead_letter_target=_dead_letter_target(params, current),
        kms_key_arn=params.get("KMSKeyArn", current.kms_key_arn) or None,
        logging=logging_settings.merge(current.logging, params.get("LoggingConfig", {})),
    )


def _dead_letter_target(params: Mapping[str, Any], current: Configuration) -> str | None:
    """What DeadLetterConfig says; an empty TargetArn, or none, ends it."""
    if "DeadLetterConfig" not in params:
        return current.dead_letter_target
    return params["DeadLetterConfig"].get("TargetArn") or None


def architecture_of(params: Mapping[str, Any], current: Configuration) -> str:
    """The architecture that a request asks for. The service model allows exactly one."""
    architectures = params.get("Architectures")
    return architectures[0] if architectures else current.architecture


def _variables(params: Mapping[str, Any]) -> Mapping[str, str]:
    return dict(params.get("Environment", {}).get("Variables", {}))


def _validate_common(params: Mapping[str, Any]) -> None:
    storage = params.get("EphemeralStorage", {}).get("Size", 0)
    constraints.require(
        constraints.at_most(params.get("Timeout", 0), "timeout", MAX_TIMEOUT_SECONDS),
        constraints.at_most(params.get("MemorySize", 0), "memorySize", MAX_MEMORY_MB),
        constraints.at_most(storage, "ephemeralStorage.size", MAX_EPHEMERAL_STORAGE_MB),
    )
    environment_variables.validate(_variables(params))
    attached_settings.validate_vpc(params.get("VpcConfig", {}))
    _validate_layers(params.get("Layers", []))
    _validate_dead_letter_target(_dead_letter_target(params, _DEFAULTS))


def _validate_dead_letter_target(arn: str | None) -> None:
    destination = None if arn is None else Destination.parse(arn)
    if arn is not None and (destination is None or destination.kind not in ("queue", "topic")):
        raise InvalidParameterValue(
            f"The dead letter target {arn} is invalid. It is the ARN of a standard SQS queue or SNS topic."
        )


def _validate_layers(layers: list[str]) -> None:
    if len(layers) > MAX_LAYERS:
        raise InvalidParameterValue(f"Cannot reference more than {MAX_LAYERS} layers.")
    seen: dict[str, str] = {}
    for arn in layers:
        layer = arn.rpartition(":")[0]
        if layer in seen:
            raise InvalidParameterValue(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[layer]} and {arn} are versions of the same layer."
            )
        seen[layer] = arn


def _validate_image(params: Mapping[str, Any]) -> None:
    if not params.get("Code", {}).get("ImageUri"):
        raise InvalidParameterValue("Please provide ImageUri when creating a function with packageType Image.")
    for member in ("Runtime", "Handler", "Layers", "CodeSigningConfigArn"):
        if params.get(member):
            raise InvalidParameterValue(
                f"Please don't provide {member} when creating a function with packageType Image."
            )


def _refuse_image_config(params: Mapping[str, Any], doing: str) -> None:
    if params.get("ImageConfig"):
        raise InvalidParameterValue(f"Please don't provide ImageConfig when {doing} a function with packageType Zip.")


def _validate_wanted(wanted: Configuration, region: str) -> None:
    """Raise what is wrong with the settings together."""
    _validate_snap_start(wanted)
    attached_settings.validate(wanted, region)


def _validate_snap_start(wanted: Configuration) -> None:
    if wanted.snap_start != PUBLISHED_VERSIONS:
        return
    if not runtimes.supports_snap_start(wanted.runtime):
        raise InvalidParameterValue(f"{wanted.runtime} is not supported for SnapStart enabled functions.")
    if wanted.ephemeral_storage > _DEFAULTS.ephemeral_storage:
        what = f"Ephemeral storage larger than {_DEFAULTS.ephemeral_storage} MB"
        raise InvalidParameterValue(f"{what} is not supported for SnapStart enabled functions.")
    if wanted.tenant_isolation is not None:
        raise InvalidParameterValue("Tenant isolation is not supported for SnapStart enabled functions.")
