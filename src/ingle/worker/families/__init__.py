"""The families of runtimes that Ingle runs, one module for each, and which of them a runtime belongs to."""

from __future__ import annotations

from functools import cache

from ingle.settings import Settings
from ingle.worker.families.family import Family
from ingle.worker.families.java import Java
from ingle.worker.families.nodejs import NodeJs
from ingle.worker.families.provided import Provided
from ingle.worker.families.python import Python
from ingle.worker.families.ruby import Ruby
from ingle.worker.interpreters import Discovery

PYTHON = Python()
#: A new language is a module beside these and an entry here.
FAMILIES: tuple[Family, ...] = (PYTHON, NodeJs(), Ruby(), Java(), Provided())


@cache
def family_of(runtime: str) -> Family | None:
    """The family of a runtime identifier; None for runtimes that Ingle does not run."""
    return next((family for family in FAMILIES if family.covers(runtime)), None)


def search(settings: Settings) -> Discovery:
    """The interpreters of this machine for all families. Blocks for a bounded time; never raises."""
    found = Discovery()
    for family in FAMILIES:
        found.add(family.search(settings))
    return found
