"""Traces in X-Ray's terms: the header that carries one on, and the ids of what Ingle tells about an invocation.

Pure. `invoke.tracing` decides, `worker.segments` and `invoke.tracing` tell, `observability.spans` translates.
Source: AWS's X-Ray developer guide, "tracing header" and "trace ids".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The value of `Configuration.tracing_mode` that asks for segments.
ACTIVE = "Active"

TRACE_ID = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
SEGMENT_ID = re.compile(r"[0-9a-fA-F]{16}")
_LINEAGE = re.compile(r"[A-Za-z0-9:|._%-]{1,255}")
_USABLE = re.compile(r"[A-Za-z0-9=;:.|_%-]{1,1024}")
_DECISIONS = {"1": True, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceHeader:
    """X-Amzn-Trace-Id. What is absent is None, `sampled` also where the decision is asked for ("?")."""

    root: str | None = None
    parent: str | None = None
    sampled: bool | None = None
    lineage: str | None = None

    def __str__(self) -> str:
        """As a header; of a complete one."""
        ending = f";Lineage={self.lineage}" if self.lineage else ""
        return f"Root={self.root};Parent={self.parent};Sampled={int(bool(self.sampled))}{ending}"


def parse_header(text: str | None) -> TraceHeader:
    """What is usable of a header that a caller sent: the other parts count as absent."""
    parts: dict[str, str] = {}
    for part in (text or "")[:1024].split(";"):
        name, _, value = part.partition("=")
        parts[name.strip().lower()] = value.strip()
    root, parent, lineage = parts.get("root", ""), parts.get("parent", ""), parts.get("lineage", "")
    return TraceHeader(
        root=root if TRACE_ID.fullmatch(root) else None,
        parent=parent if SEGMENT_ID.fullmatch(parent) else None,
        sampled=_DECISIONS.get(parts.get("sampled", "")),
        lineage=lineage if _LINEAGE.fullmatch(lineage) else None,
    )


def header_of(given: str | None, request_id: str, now: float) -> str:
    """The header that a request came with; of one without, that of a new trace which is not sampled.

    `request_id` is a UUID, `now` in epoch seconds.
    """
    if given is not None and _USABLE.fullmatch(given):
        return given
    digits = request_id.replace("-", "")
    return f"Root=1-{int(now):08x}-{digits[:24]};Parent={digits[16:]};Sampled=0"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationTrace:
    """The ids of a sampled invocation of a function with active tracing.

    `root` is the trace, `parent` the segment of whoever called, if that is known. `service` and `function` are the two
    segments that Ingle tells of, `handler` the part of the second in which the function runs.
    """

    root: str
    parent: str | None
    service: str
    function: str
    handler: str
