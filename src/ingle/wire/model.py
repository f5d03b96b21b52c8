"""Service models, read as data: operations, shapes and their members. botocore ships them, and Ingle has its own.

Owns finding, loading and naming; gives no meaning to constraints or locations. botocore's data files are used and
its code is not imported: `botocore.model` alone takes longer to import than every model here takes to load.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from ingle.models import DIRECTORY as OWN_MODELS

#: Bytes of a file, as it is stored.
_LARGE = 256 * 1024
#: Bytes of a model's text that its metadata are in.
_HEAD = 8192


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure: its name in the API, its shape, and where and how it travels."""

    name: str
    shape: Shape
    raw: Mapping[str, Any]

    @property
    def location(self) -> str | None:
        location: str | None = self.raw.get("location")
        return location

    @property
    def wire_name(self) -> str:
        name: str = self.raw.get("locationName", self.name)
        return name

    @property
    def timestamp_format(self) -> str | None:
        found: str | None = self.raw.get("timestampFormat", self.shape.raw.get("timestampFormat"))
        return found

    @property
    def json_value(self) -> bool:
        return bool(self.raw.get("jsonvalue"))


class Shape:
    """One shape of a service model, by name. Shapes may refer to each other in cycles."""

    def __init__(self, model: ServiceModel, name: str, raw: Mapping[str, Any]) -> None:
        self._model = model
        self.name = name
        self.raw = raw
        self.type: str = raw["type"]

    @cached_property
    def members(self) -> dict[str, Member]:
        declared: Mapping[str, Any] = self.raw.get("members", {})
        return {name: Member(name, self._model.shape(raw["shape"]), raw) for name, raw in declared.items()}

    @cached_property
    def required(self) -> frozenset[str]:
        return frozenset(self.raw.get("required", ()))

    @property
    def payload(self) -> str | None:
        payload: str | None = self.raw.get("payload")
        return payload

    @property
    def is_event_stream(self) -> bool:
        return bool(self.raw.get("eventstream"))

    def part(self, role: str) -> Member:
        """The `member` of a list, or the `key` or `value` of a map."""
        raw = self.raw[role]
        return Member(role, self._model.shape(raw["shape"]), raw)


class ServiceModel:
    """A parsed `service-2.json`. Shapes are wrapped when they are first asked for."""

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        self.name = name
        self.metadata: Mapping[str, Any] = raw["metadata"]
        self.operations: Mapping[str, Mapping[str, Any]] = raw["operations"]
        self._raw_shapes: Mapping[str, Mapping[str, Any]] = raw["shapes"]
        self._shapes: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        found = self._shapes.get(name)
        if found is None:
            found = self._shapes[name] = Shape(self, name, self._raw_shapes[name])
        return found

    def has_shape(self, name: str) -> bool:
        return name in self._raw_shapes

    def io_shape(self, operation: str, direction: str) -> Shape | None:
        """The `input` or `output` structure of an operation; None where it has none."""
        reference = self.operations[operation].get(direction)
        return None if reference is None else self.shape(reference["shape"])


@cache
def _data_directory() -> Path:
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("botocore, which carries the service models, is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def load_model(name: str) -> ServiceModel:
    """Load a service's newest model, for example `lambda` or `logs`. Raises LookupError for an unknown service."""
    return ModelFile(name).load()


class ModelFile:
    """Where a service's newest model is. Raises LookupError for an unknown service."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._path = _newest(name)

    @property
    def is_large(self) -> bool:
        """Whether loading takes so long that it should wait until the service is asked for."""
        return self._path.stat().st_size > _LARGE

    def metadata(self) -> Mapping[str, Any]:
        """What the model's beginning says, without reading the rest."""
        opening = gzip.open if self._path.suffix == ".gz" else open
        with opening(self._path, "rb") as file:
            text = file.read(_HEAD).decode("utf-8", "ignore")
        start = text.index("{", text.index('"metadata"'))
        found: Mapping[str, Any] = json.JSONDecoder().raw_decode(text, start)[0]
        return found

    def load(self) -> ServiceModel:
        content = self._path.read_bytes()
        if self._path.suffix == ".gz":
            content = gzip.decompress(content)
        return ServiceModel(self._name, orjson.loads(content))


def _newest(name: str) -> Path:
    place = OWN_MODELS if (OWN_MODELS / name).is_dir() else _data_directory()
    versions = sorted((place / name).glob("*/service-2.json*"), key=lambda path: path.parent.name)
    if not versions:
        raise LookupError(f"no service model named {name!r}")
    return versions[-1]
