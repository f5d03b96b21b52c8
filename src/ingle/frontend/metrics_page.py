"""`/_ingle/metrics`: what the server counts, for Prometheus. Operators read it, function code does not.

`CATALOGUE` is every metric there is; `docs/reference/metrics.md` lists them, and a test compares. Counters of functions
begin at the start of the server and end with their function.
"""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ingle import __version__
from ingle.companions.health import Health
from ingle.domain.function import FunctionKey
from ingle.domain.metrics import Aggregate, below
from ingle.event_invoke.queue import EventQueue
from ingle.frontend.internal import InternalRequest, InternalResponse, InternalRoute, json_response
from ingle.invoke.meters import Meters, Total
from ingle.observability.exposition import CONTENT_TYPE, Family, Sample, render
from ingle.observability.traces import Traces
from ingle.storage.disk import Disk
from ingle.storage.logs import LogStore
from ingle.storage.metrics import MetricStore

#: Upper ends of the buckets of durations, in seconds.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STARTED = time.time()


def _family(name: str, kind: str, text: str) -> Family:
    return Family(name=name, kind=kind, help=text)


INVOCATIONS = _family("ingle_function_invocations_total", "counter", "Invocations that ran, with failed ones.")
ERRORS = _family("ingle_function_errors_total", "counter", "Invocations that failed: the function's own error.")
THROTTLES = _family("ingle_function_throttles_total", "counter", "Invocations that were refused for a limit.")
DURATION = _family("ingle_function_duration_seconds", "histogram", "How long invocations ran, within 1 %.")
INIT = _family("ingle_function_init_duration_seconds", "summary", "How long environments initialised.")
RUNNING = _family("ingle_function_running", "gauge", "Invocations that run now.")
EVENTS_QUEUED = _family("ingle_events_queued", "gauge", "Asynchronous events that are not over, by function.")
EVENTS_OLDEST = _family("ingle_events_oldest_seconds", "gauge", "How long the oldest event has been in the queue.")
EVENTS_RECEIVED = _family("ingle_events_received_total", "counter", "Asynchronous events that were accepted.")
EVENTS_DROPPED = _family("ingle_events_dropped_total", "counter", "Events that ended without a success, by reason.")
EVENTS_UNDELIVERED = _family(
    "ingle_event_delivery_failures_total", "counter", "Results that a destination did not take, by metric, every time."
)
COMPANION_REQUESTS = _family("ingle_companion_requests_total", "counter", "Requests to AWS services elsewhere.")
COMPANION_FAILURES = _family("ingle_companion_failures_total", "counter", "Those that got no answer.")
ENVIRONMENTS = _family("ingle_environments", "gauge", "Execution environments by state.")
ZYGOTES = _family("ingle_zygotes", "gauge", "Warmed interpreters that environments are forked from.")
LOG_WAITING = _family("ingle_log_waiting_bytes", "gauge", "Log lines that are not written yet, about.")
LOG_DROPPED = _family("ingle_log_lines_dropped_total", "counter", "Log lines that were lost.")
METRICS_DROPPED = _family("ingle_metric_points_dropped_total", "counter", "Minutes of metrics that were lost.")
SEGMENTS = _family("ingle_trace_segments_total", "counter", "X-Ray segments of functions, and about them.")
SEGMENTS_DROPPED = _family("ingle_trace_segments_dropped_total", "counter", "Segments that went nowhere, by reason.")
SPANS = _family("ingle_trace_spans_exported_total", "counter", "Spans that the collector has taken.")
EXPORT_FAILURES = _family("ingle_trace_export_failures_total", "counter", "Requests that the collector did not take.")
DISK_FREE = _family("ingle_disk_free_bytes", "gauge", "Free space on the disk of the data directory.")
DISK_SIZE = _family("ingle_disk_size_bytes", "gauge", "Size of the disk of the data directory.")
DISK_FULL = _family("ingle_disk_full", "gauge", "1 while new work is refused because the disk is full.")
INFO = _family("ingle_info", "gauge", "Always 1; the label tells the release.")
CPU = _family("process_cpu_seconds_total", "counter", "Processor time of the server, without functions.")
MEMORY = _family("process_resident_memory_bytes", "gauge", "Memory of the server, without functions.")
OPEN_FILES = _family("process_open_fds", "gauge", "Descriptors that the server has open.")
MOST_FILES = _family("process_max_fds", "gauge", "Descriptors that the server may have open.")
STARTED = _family("process_start_time_seconds", "gauge", "When the server started, in epoch seconds.")

CATALOGUE = (
    INVOCATIONS, ERRORS, THROTTLES, DURATION, INIT, RUNNING, EVENTS_QUEUED, EVENTS_OLDEST,
    EVENTS_RECEIVED, EVENTS_DROPPED, EVENTS_UNDELIVERED, COMPANION_REQUESTS,
    COMPANION_FAILURES, ENVIRONMENTS, ZYGOTES, LOG_WAITING, LOG_DROPPED,
    METRICS_DROPPED, SEGMENTS, SEGMENTS_DROPPED, SPANS, EXPORT_FAILURES, DISK_FREE, DISK_SIZE, DISK_FULL, INFO, CPU,
    MEMORY, OPEN_FILES, MOST_FILES, STARTED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the numbers come from. `environments`: how many there are in each state."""

    meters: Meters
    environments: Callable[[], Mapping[str, int]]
    zygotes: Callable[[], int]
    logs: LogStore
    metrics: MetricStore
    disk: Disk
    traces: Traces
    events: EventQueue
    companions: Health


Page = Iterator[tuple[Family, Iterable[Sample]]]


def metrics_page(sources: Sources) -> InternalRoute:
    async def answer(request: InternalRequest) -> InternalResponse:
        if request.from_environment or not request.local:
            return json_response(403, {"message": "Metrics of the server are not for functions."})
        totals = await sources.meters.totals()
        body = render(
            [*_functions(totals, sources.meters.running()), *_events(sources.events), *_server(sources), *_process()]
        )
        return InternalResponse(status=200, headers=[(b"content-type", CONTENT_TYPE)], body=body)

    return answer


def _functions(totals: Mapping[tuple[FunctionKey, str], Total], running: Mapping[FunctionKey, int]) -> Page:
    found = [({**_labels(key), "version": version}, total) for (key, version), total in totals.items()]
    yield INVOCATIONS, [Sample("", labels, total.invocations) for labels, total in found]
    yield ERRORS, [Sample("", labels, total.errors) for labels, total in found]
    yield THROTTLES, [Sample("", labels, total.throttles) for labels, total in found]
    yield DURATION, [sample for labels, total in found for sample in _histogram(labels, total.duration)]
    yield INIT, [sample for labels, total in found for sample in _sums(labels, total.init)]
    yield RUNNING, [Sample("", _labels(key), count) for key, count in running.items()]


def _events(queue: EventQueue) -> Page:
    oldest, tally = queue.oldest(), queue.tally
    yield EVENTS_QUEUED, [Sample("", _labels(key), count) for key, count in queue.waiting.items()]
    yield EVENTS_OLDEST, [Sample("", {}, 0 if oldest is None else max(0.0, time.time() - oldest / 1000))]
    yield EVENTS_RECEIVED, [Sample("", {}, tally.received)]
    yield EVENTS_DROPPED, [Sample("", {"reason": why}, count) for why, count in tally.dropped.items()]
    yield EVENTS_UNDELIVERED, [Sample("", {"metric": name}, count) for name, count in tally.undelivered.items()]


def _labels(key: FunctionKey) -> dict[str, str]:
    return {"account": key.account, "region": key.region, "function": key.name}


def _histogram(labels: Mapping[str, str], milliseconds: Aggregate) -> Iterator[Sample]:
    for bound in BOUNDS:
        yield Sample("_bucket", {**labels, "le": str(bound)}, below(milliseconds.buckets or {}, bound * 1000))
    yield Sample("_bucket", {**labels, "le": "+Inf"}, milliseconds.count)
    yield from _sums(labels, milliseconds)


def _sums(labels: Mapping[str, str], milliseconds: Aggregate) -> Iterator[Sample]:
    yield Sample("_sum", labels, milliseconds.total / 1000)
    yield Sample("_count", labels, milliseconds.count)


def _server(sources: Sources) -> Page:
    space = sources.disk.space
    for family, counts in (
        (COMPANION_REQUESTS, sources.companions.requests),
        (COMPANION_FAILURES, sources.companions.failures),
    ):
        yield family, [Sample("", {"service": name}, count) for name, count in counts.items()]
    yield ENVIRONMENTS, [Sample("", {"state": name}, count) for name, count in sources.environments().items()]
    yield from (
        (family, [Sample("", {}, value)])
        for family, value in (
            (ZYGOTES, sources.zygotes()),
            (LOG_WAITING, sources.logs.waiting_bytes),
            (LOG_DROPPED, sources.logs.dropped),
            (METRICS_DROPPED, sources.metrics.dropped),
            (SEGMENTS, sources.traces.received),
            (SPANS, sources.traces.exported),
            (EXPORT_FAILURES, sources.traces.failures),
            (DISK_FREE, space.free),
            (DISK_SIZE, space.total),
            (DISK_FULL, int(sources.disk.full)),
        )
    )
    yield SEGMENTS_DROPPED, [Sample("", {"reason": why}, count) for why, count in sources.traces.dropped.items()]
    yield INFO, [Sample("", {"version": __version__}, 1)]


def _process() -> Page:
    with open("/proc/self/statm", "rb") as file:
        resident = int(file.read().split()[1]) * _PAGE
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    for family, value in (
        (CPU, time.process_time()),
        (MEMORY, resident),
        (OPEN_FILES, len(os.listdir("/proc/self/fd")) - 1),
        (MOST_FILES, math.inf if soft == resource.RLIM_INFINITY else soft),
        (STARTED, _STARTED),
    ):
        yield family, [Sample("", {}, value)]
