"""What must be true of functions that are changed at random beside their invocations: a model, and what was possible.

`Function` is what one caller has been told of a function. `Timeline` is what an observer can see of one qualifier at
which time, since a change takes effect somewhere between its request and its answer.
"""

from __future__ import annotations

import base64
import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from served import package

SOURCE = """
import os
CODE = %r
AT_INIT = os.environ.get("WORD")
try:
    from churned import LAYER
except ImportError:
    LAYER = None

def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    words = {AT_INIT, os.environ.get("WORD")}
    return {"code": CODE, "words": sorted(words, key=str), "layer": LAYER, "version": context.function_version}
"""
LATEST = "$LATEST"
ABSENT, PENDING = "absent", "pending"


def code(marker: str) -> bytes:
    """The package whose code says `marker`."""
    return package({"app.py": SOURCE % marker})


def layer(marker: str) -> bytes:
    return package({"python/churned.py": f"LAYER = {marker!r}\n"})


def sha256(zip_bytes: bytes) -> str:
    return base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()


@dataclass(frozen=True)
class Config:
    """What an invocation tells of what it runs. `layer` is the end of a layer version's ARN, `name:number`."""

    code: str
    word: str
    layer: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        layers = [] if self.layer is None else [f"arn:aws:lambda:us-east-1:000000000000:layer:{self.layer}"]
        return {"Environment": {"Variables": {"WORD": self.word}}, "Layers": layers}


@dataclass(frozen=True)
class Alias:
    version: str
    #: The other version and its weight.
    other: tuple[str, float] | None = None

    @property
    def versions(self) -> frozenset[str]:
        """Those that may run: a weight of 0 or 1 leaves one."""
        other, weight = self.other or (self.version, 0.0)
        shares = ((self.version, 1 - weight), (other, weight))
        return frozenset(version for version, share in shares if share > 0)


@dataclass(frozen=True)
class Function:
    """`latest` is None where there is no function."""

    latest: Config | None = None
    versions: Mapping[str, Config] = field(default_factory=dict)
    #: The number that the next version gets. A reading of the API cannot tell it.
    next_version: int = field(default=1, compare=False)
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    reserved: int | None = None
    provisioned: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def published(self) -> tuple[Function, str]:
        """After PublishVersion, and the number that this answers."""
        number = str(self.next_version - 1)
        if self.latest is None or self.versions.get(number) == self.latest:
            return self, number
        number = str(self.next_version)
        versions = {**self.versions, number: self.latest}
        return replace(self, versions=versions, next_version=self.next_version + 1), number

    def without_version(self, number: str) -> Function:
        return replace(self, versions=without(self.versions, number), provisioned=without(self.provisioned, number))

    def without_alias(self, name: str) -> Function:
        return replace(self, aliases=without(self.aliases, name), provisioned=without(self.provisioned, name))

    @property
    def claimed(self) -> int:
        """Of the account's pool."""
        return sum(self.provisioned.values()) if self.reserved is None else self.reserved

    @property
    def code_size(self) -> int:
        held = [] if self.latest is None else [self.latest, *self.versions.values()]
        return sum(len(code(config.code)) for config in held)

    def views(self) -> dict[str, Hashable]:
        """What invocations can see, by qualifier, with the reserve beside it."""
        latest: Hashable = self.latest or ABSENT
        return {LATEST: latest, **self.versions, **self.aliases, "reserved": self.reserved}


def without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


class Timeline:
    """Values, each with the span of time in which it may be seen. One thread writes; others read when it has ended."""

    def __init__(self, value: Hashable) -> None:
        self.spans: list[tuple[Hashable, float, float]] = [(value, -math.inf, math.inf)]

    def may_become(self, value: Hashable) -> None:
        """A request is sent that brings it about."""
        self.spans.append((value, time.monotonic(), math.inf))

    def is_now(self, value: Hashable) -> None:
        """It is certain: whatever else was possible has ended."""
        now = time.monotonic()
        self.spans = [
            (seen, start, now if end == math.inf and seen != value else end) for seen, start, end in self.spans
        ]

    def possible(self, start: float, end: float) -> set[Hashable]:
        """What could be seen by someone who looked once between these times."""
        return {value for value, begun, ended in self.spans if begun <= end and ended >= start}


class Timelines:
    """Of the qualifiers of one function."""

    def __init__(self) -> None:
        self._of: defaultdict[str, Timeline] = defaultdict(lambda: Timeline(ABSENT))
        self._of["reserved"] = Timeline(None)

    def sending(self, before: Function, after: Iterable[Function]) -> None:
        """A request is sent that may bring about any of `after`."""
        for function in after:
            for name, value in _changes(before, function).items():
                self._of[name].may_become(value)
                if isinstance(value, Config) and before.views().get(name, ABSENT) == ABSENT:
                    self._of[name].may_become(PENDING)

    def settled(self, function: Function, candidates: Iterable[Function]) -> None:
        """The function is this now; it had been thought that it might be one of the candidates."""
        views = function.views()
        for name in {name for candidate in candidates for name in _changes(function, candidate)} | views.keys():
            self._of[name].is_now(views.get(name, ABSENT))

    def possible(self, name: str, start: float, end: float) -> set[Hashable]:
        return self._of[name].possible(start, end) if name in self._of else {ABSENT}

    def told(self, moment: float) -> str:
        """All of it, with times in seconds after `moment`, for a person to read."""
        return "\n".join(
            f"{name} {start - moment:+.3f} {end - moment:+.3f} {value}"
            for name, timeline in self._of.items()
            for value, start, end in timeline.spans
        )


def _changes(before: Function, after: Function) -> dict[str, Hashable]:
    old, new = before.views(), after.views()
    return {name: new.get(name, ABSENT) for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def observed(client: Any, name: str, codes: Mapping[str, str]) -> Function:
    """The function as the API shows it. `codes`: markers of packages by their SHA-256."""
    try:
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        entries = {entry["Version"]: _config(entry, codes) for page in pages for entry in page["Versions"]}
    except client.exceptions.ResourceNotFoundException:
        return Function()
    aliases = client.list_aliases(FunctionName=name)["Aliases"]
    provisioned = client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    return Function(
        latest=entries.pop(LATEST),
        versions=entries,
        aliases={alias["Name"]: _alias(alias) for alias in aliases},
        reserved=client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions"),
        provisioned={
            one["FunctionArn"].rpartition(":")[2]: one["RequestedProvisionedConcurrentExecutions"]
            for one in provisioned
        },
        tags=client.list_tags(Resource=arn)["Tags"],
    )


def _config(entry: Mapping[str, Any], codes: Mapping[str, str]) -> Config:
    layers = [":".join(one["Arn"].split(":")[6:]) for one in entry.get("Layers", [])]
    return Config(
        code=codes[entry["CodeSha256"]],
        word=entry["Environment"]["Variables"]["WORD"],
        layer=layers[0] if layers else None,
    )


def _alias(shown: Mapping[str, Any]) -> Alias:
    weights = shown.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    other = next(iter(weights.items()), None)
    return Alias(version=shown["FunctionVersion"], other=other)
