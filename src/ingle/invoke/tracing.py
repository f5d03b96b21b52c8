"""Active tracing on the caller's side: whether an invocation is sampled, the header it gets, and the service's segment.

Called by the invoker for functions with `TracingConfig` Active; the others cost nothing here. The function's segment is
`worker.segments`'s.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from ingle.catalog import Catalog
from ingle.domain.clock import Clock
from ingle.domain.function import Function, FunctionKey, Version
from ingle.domain.invocation import Invocation
from ingle.domain.tracing import InvocationTrace, TraceHeader, parse_header
from ingle.observability.spans import Source
from ingle.observability.traces import Traces

#: Of the invocations of a function that are not the first of their second, as on AWS.
RATE = 0.05
_FAULT, _ERROR, _THROTTLED = 500, 400, 429


class Sampler:
    """For each function: the first invocation of every second, and `RATE` of the others."""

    def __init__(self, clock: Clock, chance: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._chance = chance
        self._seconds: dict[FunctionKey, int] = {}

    def decide(self, key: FunctionKey) -> bool:
        second = int(self._clock.now())
        if self._seconds.get(key) != second:
            self._seconds[key] = second
            return True
        return self._chance() < RATE

    def forget(self, key: FunctionKey) -> None:
        self._seconds.pop(key, None)


class Tracing:
    """`new_id(n)` makes n random bytes in hexadecimal."""

    def __init__(
        self, catalog: Catalog, traces: Traces, clock: Clock, sampler: Sampler,
        new_id: Callable[[int], str] = secrets.token_hex,
    ) -> None:  # fmt: skip
        self._traces = traces
        self._clock = clock
        self._sampler = sampler
        self._new_id = new_id
        catalog.subscribe(self._catalog_changed)

    def begin(self, version: Version, given: str | None) -> tuple[str, InvocationTrace | None]:
        """The header for the runtime, and the ids of what is told about the invocation if it is sampled.

        `given` is the caller's header. It decides about sampling if it says anything about that.
        """
        header = parse_header(given)
        sampled = header.sampled if header.sampled is not None else self._sampler.decide(version.key)
        root = header.root or f"1-{int(self._clock.now()):08x}-{self._new_id(12)}"
        new = self._new_id
        trace = InvocationTrace(root=root, parent=header.parent, service=new(8), function=new(8), handler=new(8))
        onward = TraceHeader(root=root, parent=trace.function, sampled=sampled, lineage=header.lineage)
        return str(onward), trace if sampled else None

    def end(self, version: Version, invocation: Invocation, began: float, status: int) -> None:
        """The invocation is over. `began` is in epoch seconds, `status` what the caller's answer has."""
        if self._traces.exporting and invocation.trace is not None:
            document = service_segment(version, invocation, began, self._clock.now(), status)
            self._traces.put(Source.of(version), document)

    def _catalog_changed(self, key: FunctionKey, function: Function | None) -> None:
        if function is None:
            self._sampler.forget(key)


def service_segment(
    version: Version, invocation: Invocation, began: float, ended: float, status: int
) -> Mapping[str, Any]:
    """The segment of origin AWS::Lambda: from the request to the answer, waiting for an environment included."""
    trace = invocation.trace
    assert trace is not None
    segment: dict[str, Any] = {
        "name": version.key.name, "id": trace.service, "trace_id": trace.root, "origin": "AWS::Lambda",
        "start_time": began, "end_time": max(began, ended), "resource_arn": invocation.invoked_arn,
        "http": {"response": {"status": status}}, "aws": {"request_id": invocation.request_id},
    }  # fmt: skip
    if trace.parent is not None:
        segment["parent_id"] = trace.parent
    if status >= _FAULT:
        segment["fault"] = True
    elif status >= _ERROR:
        segment |= {"error": True, "throttle": True} if status == _THROTTLED else {"error": True}
    return segment
