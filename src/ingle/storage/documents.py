"""Domain values to JSON documents and back: the one place that knows how a stored value is spelled.

Called by the SQL store. A document never contains the key columns (account, region, name, version). Members that a
document lacks take the domain's defaults, so values can gain members without a migration. Mappings must hold JSON
values only: what comes back has lists for tuples and dicts for other mappings.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, TypeVar

from ingle.domain.alias import Alias
from ingle.domain.attached import FileSystem, Vpc
from ingle.domain.concurrency import Provisioned
from ingle.domain.function import (
    Configuration,
    FunctionKey,
    LayerReference,
    LoggingConfig,
    Package,
    Signature,
    State,
    UpdateStatus,
    Version,
)
from ingle.domain.sealed import SealedVariables

Document = dict[str, Any]
_Value = TypeVar("_Value", bound=Hashable)

#: Every mapping that is empty.
NOTHING: Mapping[str, Any] = MappingProxyType({})
_PLAIN = (
    "runtime",
    "handler",
    "role",
    "description",
    "timeout",
    "memory",
    "ephemeral_storage",
    "architecture",
    "tracing_mode",
    "snap_start",
    "dead_letter_target",
    "kms_key_arn",
    "tenant_isolation",
)
_TEXTS = (
    "state_reason",
    "state_reason_code",
    "update_status_reason",
    "update_status_reason_code",
    "latest_description",
)


class Shared(dict[Any, Any]):
    """`shared[value]` is what was read before, if that equals `value`: functions have most of their settings in common,
    and each of these is in memory once."""

    def __missing__(self, value: _Value) -> _Value:
        self[value] = value
        return value


def to_document(version: Version) -> Document:
    """Everything of a version except its key and number."""
    document: Document = {
        "revision_id": version.revision_id,
        "serial": version.serial,
        "last_modified": version.last_modified,
        "state": version.state.value,
        "update_status": None if version.update_status is None else version.update_status.value,
        "configuration": _configuration_to_document(version.configuration),
    }
    document.update({name: getattr(version, name) for name in _TEXTS})
    return document


def from_document(key: FunctionKey, number: str, document: Mapping[str, Any], shared: Shared | None = None) -> Version:
    """The inverse of `to_document`. Raises KeyError or ValueError on a document that it did not make."""
    shared = Shared() if shared is None else shared
    update_status = document.get("update_status")
    return Version(
        key=key,
        version=number,
        configuration=_configuration_from_document(document["configuration"], shared),
        revision_id=document["revision_id"],
        serial=document["serial"],
        last_modified=document["last_modified"],
        state=State(document["state"]),
        update_status=None if update_status is None else UpdateStatus(update_status),
        **{name: document.get(name) for name in _TEXTS},
    )


def alias_to_document(alias: Alias) -> Document:
    """Everything of an alias except its name."""
    return {
        "version": alias.version,
        "revision_id": alias.revision_id,
        "description": alias.description,
        "weights": dict(alias.weights),
    }


def alias_from_document(name: str, document: Mapping[str, Any]) -> Alias:
    """The inverse of `alias_to_document`. Raises KeyError on a document that it did not make."""
    return Alias(
        name=name,
        version=document["version"],
        revision_id=document["revision_id"],
        description=document["description"],
        weights=document["weights"],
    )


def provisioned_to_document(config: Provisioned) -> Document:
    """Everything of a provisioned concurrency configuration except its qualifier."""
    return {"requested": config.requested, "last_modified": config.last_modified}


def provisioned_from_document(document: Mapping[str, Any]) -> Provisioned:
    return Provisioned(requested=document["requested"], last_modified=document["last_modified"])


def package_to_document(package: Package) -> Document:
    document: Document = {"digest": package.digest, "size": package.size, "unzipped": package.unzipped}
    if package.signature is not None:
        document["signature"] = asdict(package.signature)
    return document


def package_from_document(document: Mapping[str, Any]) -> Package:
    signature = document.get("signature")
    return Package(
        digest=document["digest"],
        size=document["size"],
        unzipped=document.get("unzipped"),
        signature=None if signature is None else Signature(**signature),
    )


def _configuration_to_document(configuration: Configuration) -> Document:
    document: Document = {name: getattr(configuration, name) for name in _PLAIN}
    logging = configuration.logging
    document["package"] = package_to_document(configuration.package)
    document["layers"] = [
        {"arn": layer.arn, "package": package_to_document(layer.package)} for layer in configuration.layers
    ]
    document["environment"] = None if configuration.environment is None else _sealed(configuration.environment)
    document["logging"] = {
        "format": logging.format,
        "group": logging.group,
        "application_level": logging.application_level,
        "system_level": logging.system_level,
    }
    document["vpc"] = None if configuration.vpc is None else asdict(configuration.vpc)
    document["file_systems"] = [asdict(system) for system in configuration.file_systems]
    return document


def _shared_package(document: Mapping[str, Any], shared: Shared) -> Package:
    """Equal packages may differ in what is known of them; one object is alike in that too."""
    package = package_from_document(document)
    found: Package = shared.setdefault((package.digest, package.size, package.unzipped, package.signature), package)
    return found


def _configuration_from_document(document: Mapping[str, Any], shared: Shared) -> Configuration:
    layers = document.get("layers") or ()
    return Configuration(
        package=_shared_package(document["package"], shared),
        layers=tuple(
            LayerReference(arn=layer["arn"], package=_shared_package(layer["package"], shared)) for layer in layers
        ),
        environment=_unsealed(document.get("environment"), shared),
        logging=shared[LoggingConfig(**document.get("logging", {}))],
        vpc=_vpc_from_document(document.get("vpc")),
        file_systems=tuple(FileSystem(**system) for system in document.get("file_systems", ())),
        **{name: shared[document[name]] for name in _PLAIN if name in document},
    )


def _sealed(variables: SealedVariables) -> Document:
    return {
        "data_key": b64encode(variables.data_key).decode(),
        "ciphertext": b64encode(variables.ciphertext).decode(),
    }


def _unsealed(document: Mapping[str, str] | None, shared: Shared) -> SealedVariables | None:
    """Versions that were published without a change of the variables have the same ones."""
    if document is None:
        return None
    texts = document["data_key"], document["ciphertext"]
    found: SealedVariables | None = shared.get(texts)
    if found is None:
        data_key, ciphertext = (b64decode(text, validate=True) for text in texts)
        found = shared[texts] = SealedVariables(data_key=data_key, ciphertext=ciphertext)
    return found


def _vpc_from_document(document: Mapping[str, Any] | None) -> Vpc | None:
    if document is None:
        return None
    return Vpc(
        subnets=tuple(document["subnets"]), security_groups=tuple(document["security_groups"]), ipv6=document["ipv6"],
        vpc_id=document.get("vpc_id", ""),
    )  # fmt: skip
