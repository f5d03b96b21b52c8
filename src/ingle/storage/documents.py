"""Domain values to JSON documents and back: the one place that knows how a stored value is spelled.

Called by the SQL store. A document never contains the key columns (account, region, name, version). Members that a
document lacks take the domain's defaults, so values can gain members without a migration. Mappings must hold JSON
values only: what comes back has lists for tuples and dicts for other mappings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.domain.function import (
    Configuration,
    FunctionKey,
    LoggingConfig,
    Package,
    State,
    UpdateStatus,
    Version,
)

Document = dict[str, Any]

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
)
_TEXTS = (
    "state_reason",
    "state_reason_code",
    "update_status_reason",
    "update_status_reason_code",
    "latest_description",
)


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


def from_document(key: FunctionKey, number: str, document: Mapping[str, Any]) -> Version:
    """The inverse of `to_document`. Raises KeyError or ValueError on a document that it did not make."""
    update_status = document.get("update_status")
    return Version(
        key=key,
        version=number,
        configuration=_configuration_from_document(document["configuration"]),
        revision_id=document["revision_id"],
        serial=document["serial"],
        last_modified=document["last_modified"],
        state=State(document["state"]),
        update_status=None if update_status is None else UpdateStatus(update_status),
        **{name: document.get(name) for name in _TEXTS},
    )


def _configuration_to_document(configuration: Configuration) -> Document:
    document: Document = {name: getattr(configuration, name) for name in _PLAIN}
    logging = configuration.logging
    document["package"] = {"digest": configuration.package.digest, "size": configuration.package.size}
    document["environment"] = None if configuration.environment is None else dict(configuration.environment)
    document["logging"] = {
        "format": logging.format,
        "group": logging.group,
        "application_level": logging.application_level,
        "system_level": logging.system_level,
    }
    document["extra"] = dict(configuration.extra)
    return document


def _configuration_from_document(document: Mapping[str, Any]) -> Configuration:
    return Configuration(
        package=Package(digest=document["package"]["digest"], size=document["package"]["size"]),
        environment=document.get("environment"),
        logging=LoggingConfig(**document.get("logging", {})),
        extra=document.get("extra", {}),
        **{name: document[name] for name in _PLAIN if name in document},
    )
