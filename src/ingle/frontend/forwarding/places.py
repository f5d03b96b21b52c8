"""Which service a request is for: what it is signed for, else what its host is called.

Hosts may be `SERVICE.HOST`, `SERVICE.REGION.HOST` and, for S3, `BUCKET.s3.HOST`, `BUCKET.s3.REGION.HOST` and
`BUCKET.HOST`, where HOST is any name of the server. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SERVICE = re.compile(r"[a-z][a-z0-9-]{0,62}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class Place:
    """`bucket`: what the host names, so that the path does not."""

    service: str
    bucket: str | None = None


class Places:
    """`own`: signing names of what Ingle has itself. `hosts`: names of the server besides localhost."""

    def __init__(self, own: Iterable[str], hosts: Iterable[str] = ()) -> None:
        self._own = frozenset(own)
        self._hosts = sorted({"localhost", *(host.lower() for host in hosts)}, key=len)

    def is_own(self, signed_for: str | None) -> bool:
        return signed_for in self._own

    def find(self, signed_for: str | None, host: str) -> Place | None:
        """None for what Ingle has itself. `host`: the name alone, in lower case."""
        if signed_for in self._own:
            return None
        labels = self._before(host)
        if signed_for is None:
            return self._named(labels)
        if not _SERVICE.fullmatch(signed_for):
            return None
        return Place(signed_for, _bucket(labels) if signed_for == "s3" else None)

    def _before(self, host: str) -> list[str]:
        """What precedes the server's name in a host, label by label."""
        for name in self._hosts:
            if host.endswith(f".{name}"):
                return host[: -len(name) - 1].split(".")
        return []

    def _named(self, labels: list[str]) -> Place | None:
        if labels and _REGION.fullmatch(labels[-1]):
            labels = labels[:-1]
        if not labels or labels[-1] in self._own or not _SERVICE.fullmatch(labels[-1]):
            return None
        if labels[-1] == "s3":
            return Place("s3", _bucket(labels))
        return Place(labels[0]) if len(labels) == 1 else None


def _bucket(labels: list[str]) -> str | None:
    if labels and _REGION.fullmatch(labels[-1]):
        labels = labels[:-1]
    if labels and labels[-1] == "s3":
        labels = labels[:-1]
    name = ".".join(labels)
    return name if _BUCKET.fullmatch(name) else None
