"""A function that invokes itself, through whatever lies between: how often it did, and what happens then. Pure.

X-Amzn-Trace-Id carries a lineage, `Lineage=HASH:COUNT|HASH:COUNT`, with the functions that have run on the way and how
often each of them did again. SDKs in functions send it with every call. Source: "Use Lambda recursive loop detection to
prevent infinite loops".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from ingle.domain.function import FunctionKey

TERMINATE = "Terminate"
#: A function that has come back so often on one way is stopped; AWS says about 16.
LIMIT = 16
#: Of the functions of a lineage, those that ran last are kept.
_FUNCTIONS = 16
_MOST = 255
_ENTRY = re.compile(r"([0-9a-f]{8}):([0-9]{1,3})")
_FIELD = re.compile(r";?\s*Lineage=([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recursion:
    loop: str = TERMINATE  # Terminate | Allow


def passes(header: str | None, key: FunctionKey) -> int:
    """How often the function has come back already on the way that a trace header tells of."""
    if header is None or "ineage" not in header:
        return 0
    return _lineage(header).get(_name(key), -1) + 1


def onward(header: str, key: FunctionKey) -> str:
    """The trace header that a function is given, whose calls carry it on: with the function's own pass counted."""
    if "ineage" not in header:
        return f"{header};Lineage={_name(key)}:0"
    lineage = _lineage(header)
    name = _name(key)
    count = min(lineage.pop(name, -1) + 1, _MOST)
    entries = [*lineage.items(), (name, count)][-_FUNCTIONS:]
    return f"{_FIELD.sub('', header)};Lineage={'|'.join(f'{name}:{count}' for name, count in entries)}"


def _lineage(header: str) -> dict[str, int]:
    """Entries that cannot be read count for nothing. Clients may have the separator encoded."""
    found = _FIELD.search(header)
    text = "" if found is None else found[1].replace("%7C", "|")
    return {match[1]: int(match[2]) for part in text.split("|") if (match := _ENTRY.fullmatch(part.strip()))}


@lru_cache(maxsize=4096)
def _name(key: FunctionKey) -> str:
    """What a function is called in a lineage: nobody needs to know where it is."""
    return sha256(f"{key.account}:{key.region}:{key.name}".encode()).hexdigest()[:8]
