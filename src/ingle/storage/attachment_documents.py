"""What is attached to functions as JSON documents, and back. A kind that is stored has its name and its reader here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ingle.domain.code_signing import CodeSigningBinding
from ingle.domain.event_invoke_config import EventInvokeConfig
from ingle.domain.function_url import Cors, FunctionUrl
from ingle.domain.policy import Policy
from ingle.domain.recursion import Recursion
from ingle.domain.runtime_management import RuntimeManagement

Document = dict[str, Any]


def _policy(document: Mapping[str, Any]) -> Policy:
    return Policy(**{**document, "statements": tuple(document["statements"])})


def _function_url(document: Mapping[str, Any]) -> FunctionUrl:
    cors = document["cors"]
    return FunctionUrl(**{**document, "cors": None if cors is None else Cors(**_tuples(cors))})


def _tuples(document: Mapping[str, Any]) -> Document:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}


_KINDS: Mapping[str, tuple[type[Any], Callable[[Mapping[str, Any]], Any]]] = {
    "code-signing": (CodeSigningBinding, lambda document: CodeSigningBinding(**document)),
    "event-invoke-config": (EventInvokeConfig, lambda document: EventInvokeConfig(**document)),
    "function-url": (FunctionUrl, _function_url),
    "policy": (Policy, _policy),
    "recursion": (Recursion, lambda document: Recursion(**document)),
    "runtime-management": (RuntimeManagement, lambda document: RuntimeManagement(**document)),
}

#: The name that a kind is stored under.
NAMES: Mapping[type[Any], str] = {kind: name for name, (kind, _) in _KINDS.items()}


def to_document(value: Any) -> Document:
    """Every field of an attachment, by its name."""
    return asdict(value)


def from_document(name: str, document: Mapping[str, Any]) -> Any:
    """The inverse of `to_document`. Raises KeyError or TypeError on a document that it did not make."""
    return _KINDS[name][1](document)
