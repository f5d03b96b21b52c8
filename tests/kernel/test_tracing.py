"""Active tracing in real environments: functions with AWS's X-Ray SDK, and spans that arrive at a collector."""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed, distributions, running
from otlp import Collector, Span
from streamed import FILES, SETTINGS

pytestmark = pytest.mark.kernel

#: Invokes the function that its event names, traced by the SDK, and reports what it saw.
CALLER = """
import json, os
import boto3
from aws_xray_sdk.core import patch, xray_recorder

patch(["botocore"])
client = boto3.client("lambda")

def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    with xray_recorder.in_subsegment("work") as part:
        part.put_annotation("tenant", "blue")
        part.put_metadata("detail", {"a": 1})
        seen = None
        if event.get("next"):
            answer = client.invoke(FunctionName=event["next"], Payload=b"{}")
            seen = json.loads(answer["Payload"].read())
    return {"trace": os.environ["_X_AMZN_TRACE_ID"], "seen": seen}
"""
#: The same without the SDK: boto3 carries the header on by itself.
PLAIN = """
import json, os
import boto3

def handler(event, context):
    seen = None
    if event.get("next"):
        answer = boto3.client("lambda").invoke(FunctionName=event["next"], Payload=b"{}")
        seen = json.loads(answer["Payload"].read())
    return {"trace": os.environ["_X_AMZN_TRACE_ID"], "seen": seen}
"""
#: Sends what it is told to where the X-Ray daemon is.
SENDER = """
import os, socket

def handler(event, context):
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for text in event["datagrams"]:
            sender.sendto(text.encode(), (host, int(port)))
"""
ACTIVE = {"TracingConfig": {"Mode": "Active"}}
_numbers = itertools.count(1)


def root() -> str:
    """A new trace."""
    return f"1-{int(time.time()):08x}-{next(_numbers):024x}"


class Traced(Sandboxed):
    """A server that sends traces to a collector."""

    def __init__(self, server: Any, isolation: str, collector: Collector) -> None:
        super().__init__(server, isolation)
        self.collector = collector
        self.header: str | None = None
        for operation in ("Invoke", "InvokeWithResponseStream"):
            self.client.meta.events.register(f"before-send.lambda.{operation}", self._add_header)

    def _add_header(self, request: Any, **_: Any) -> None:
        if self.header is not None:
            request.headers["X-Amzn-Trace-Id"] = self.header

    def trace(self, name: str, event: Any, header: str) -> Any:
        self.header = header
        try:
            return self.call(name, event)
        finally:
            self.header = None

    def spans(self, trace: str, count: int) -> list[Span]:
        """The spans of a trace, once there are `count` of them."""
        wanted = trace[2:].replace("-", "")

        def of_trace(spans: list[Span]) -> list[Span]:
            return [span for span in spans if span.trace == wanted]

        return of_trace(self.collector.wait(lambda spans: len(of_trace(spans)) >= count))

    def counted(self, name: str) -> dict[str, float]:
        """Samples of a metric by their labels."""
        with urllib.request.urlopen(self.server.url + "/_ingle/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {labels: float(value) for labels, value in re.findall(rf"^{name}(\S*) (\S+)$", text, re.MULTILINE)}


@pytest.fixture(scope="module", params=["root", "user", "process"])
def traced(request: Any) -> Iterator[Traced]:
    with Collector() as collector, running(request.param, INGLE_OTLP_ENDPOINT=collector.endpoint) as server:
        yield Traced(server, request.param, collector)


@pytest.fixture(scope="module")
def daemon(traced: Traced) -> Traced:
    """Where environments have the X-Ray daemon's address."""
    traced.require("root", "user", because="plain processes have no network of their own for the daemon's address")
    return traced


def only(spans: list[Span], **attributes: str) -> Span:
    (found,) = [span for span in spans if attributes.items() <= span.attributes.items()]
    return found


def named(spans: list[Span], name: str, parent: Span) -> Span:
    (found,) = [span for span in spans if (span.name, span.parent) == (name, parent.id)]
    return found


def told(header: str) -> str:
    """A trace header without the lineage that Ingle adds."""
    start, separator, lineage = header.partition(";Lineage=")
    assert not separator or re.fullmatch(r"[0-9a-f]{8}:0(\|[0-9a-f]{8}:0)*", lineage)
    return start


def test_a_trace_goes_from_the_caller_through_two_functions(daemon: Traced) -> None:
    daemon.require_sdk("python3.11")
    files = {"app.py": CALLER, **distributions("aws-xray-sdk", "wrapt")}
    first, second = (daemon.create(files, MemorySize=512, **ACTIVE) for _ in range(2))
    trace, parent = root(), "00000000000000aa"
    result = daemon.trace(first, {"next": second}, f"Root={trace};Parent={parent};Sampled=1")
    # Two segments of each function, in each three parts (no overhead where the runtime is quick), and the SDK's three.
    spans = daemon.spans(trace, 2 * (2 + 2) + 3)

    def segments(name: str) -> tuple[Span, Span]:
        of = [span for span in spans if span.resource["faas.name"] == name]
        service = only(of, **{"aws.xray.origin": "AWS::Lambda"})
        function = only(of, **{"aws.xray.origin": "AWS::Lambda::Function"})
        assert (service.name, function.name) == (name, name)
        assert function.parent == service.id
        assert service.start <= named(spans, "Initialization", function).start
        assert service.end >= named(spans, "Invocation", function).end
        assert not service.failed
        assert not function.failed
        return service, function

    service, function = segments(first)
    assert service.parent == parent
    assert service.attributes["http.response.status_code"] == "200"
    assert told(result["trace"]) == f"Root={trace};Parent={function.id};Sampled=1"
    work = named(spans, "work", function)
    assert work.attributes["tenant"] == "blue"
    assert json.loads(work.attributes["aws.xray.metadata.default"]) == {"detail": {"a": 1}}
    call = named(spans, "lambda", work)
    assert (call.kind, call.attributes["rpc.method"], call.attributes["aws.function_name"]) == (3, "Invoke", second)
    next_service, next_function = segments(second)
    assert next_service.parent == call.id
    assert told(result["seen"]["trace"]) == f"Root={trace};Parent={next_function.id};Sampled=1"
    named(spans, "work", next_function)
    failed = root()
    with pytest.raises(FunctionFailed):
        daemon.trace(first, {"fail": True}, f"Root={failed};Sampled=1")
    spans = daemon.spans(failed, 3)
    function = only(spans, **{"aws.xray.origin": "AWS::Lambda::Function"})
    for span in (function, named(spans, "Invocation", function)):
        assert (span.failed, span.message, span.attributes["aws.xray.fault"]) == (True, "as asked", True)
        (event,) = span.events
        assert "/var/task/app.py" in str(event)
    assert not any(span.name == "Initialization" for span in spans)


def test_unsampled_traces_make_no_spans(daemon: Traced) -> None:
    daemon.require_sdk("python3.11")
    name = daemon.create({"app.py": CALLER, **distributions("aws-xray-sdk", "wrapt")}, MemorySize=512, **ACTIVE)
    trace = root()
    result = daemon.trace(name, {}, f"Root={trace};Sampled=0")
    assert re.fullmatch(f"Root={trace};Parent=[0-9a-f]{{16}};Sampled=0", told(result["trace"]))
    after = root()
    daemon.trace(name, {}, f"Root={after};Sampled=1")
    daemon.spans(after, 3)
    assert not [span for span in daemon.collector.spans if span.trace == trace[2:].replace("-", "")]


def test_a_function_that_passes_through_is_told_of_by_its_sdk_only(daemon: Traced) -> None:
    daemon.require_sdk("python3.11")
    name = daemon.create({"app.py": CALLER, **distributions("aws-xray-sdk", "wrapt")}, MemorySize=512)
    header = f"Root={root()};Parent=00000000000000ab;Sampled=1"
    assert told(daemon.trace(name, {}, header)["trace"]) == header
    (span,) = daemon.spans(header[5:40], 1)
    assert (span.name, span.parent) == ("work", "00000000000000ab")


def test_boto3_carries_the_trace_on_without_an_sdk_for_tracing(traced: Traced) -> None:
    traced.require_sdk("python3.11")
    first, second = traced.create(PLAIN, MemorySize=512), traced.create(PLAIN, MemorySize=512, **ACTIVE)
    trace = root()
    header = f"Root={trace};Parent=00000000000000ac;Sampled=1"
    result = traced.trace(first, {"next": second}, header)
    assert told(result["trace"]) == header
    spans = traced.spans(trace, 4)
    service = only(spans, **{"aws.xray.origin": "AWS::Lambda"})
    function = only(spans, **{"aws.xray.origin": "AWS::Lambda::Function"})
    assert (service.parent, function.parent) == ("00000000000000ac", service.id)
    assert told(result["seen"]["trace"]) == f"Root={trace};Parent={function.id};Sampled=1"
    assert service.resource["faas.name"] == second


@pytest.mark.parametrize(
    ("source", "status", "part"),
    [
        ("def handler(event, context):\n    import os\n    os._exit(3)\n", "exit status 3", "Invocation"),
        ("def handler(event, context):\n    import time\n    time.sleep(30)\n", "timed out", "Invocation"),
        ("raise RuntimeError('no start')\n", "no start", "Initialization"),
    ],
)
def test_what_ends_badly_is_a_fault(traced: Traced, source: str, status: str, part: str) -> None:
    name = traced.create(source, **{**ACTIVE, "Timeout": 1})
    trace = root()
    with pytest.raises(FunctionFailed):
        traced.trace(name, {}, f"Root={trace};Sampled=1")
    spans = traced.spans(trace, 3)
    function = only(spans, **{"aws.xray.origin": "AWS::Lambda::Function"})
    assert function.failed
    assert named(spans, part, function).failed
    assert status in (function.message or "")


@pytest.mark.parametrize("end", [["end"], ["exit", 3]])
def test_a_streamed_response_is_told_of_until_its_end(traced: Traced, end: list[Any]) -> None:
    name = traced.create(FILES, **SETTINGS, **ACTIVE)
    trace = root()
    traced.header = f"Root={trace};Parent=00000000000000ae;Sampled=1"
    steps = [["write", "one"], ["write", "two"], end]
    answer = traced.client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(steps))
    traced.header = None
    *chunks, last = answer["EventStream"]
    assert b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks) == b"onetwo"
    spans = traced.spans(trace, 3)
    service = only(spans, **{"aws.xray.origin": "AWS::Lambda"})
    function = only(spans, **{"aws.xray.origin": "AWS::Lambda::Function"})
    assert (service.parent, function.parent) == ("00000000000000ae", service.id)
    broken = "ErrorCode" in last["InvokeComplete"]
    assert (function.failed, named(spans, "Invocation", function).failed) == (broken, broken)
    assert broken is (end[0] == "exit")


def test_datagrams_that_are_no_segments_are_counted(daemon: Traced) -> None:
    name = daemon.create(SENDER)
    good = {"name": "by hand", "id": "00000000000000ad", "trace_id": root(), "start_time": 1.0, "end_time": 2.0}
    head = '{"format": "json", "version": 1}\n'
    before = daemon.counted("ingle_trace_segments_dropped_total")['{reason="malformed"}']
    bad = ["", "nonsense", head, head + "[]", head + json.dumps({**good, "id": "x"})]
    daemon.call(name, {"datagrams": [*bad, head + json.dumps(good)]})
    (span,) = daemon.spans(good["trace_id"], 1)
    assert (span.name, span.resource["faas.name"]) == ("by hand", name)
    after = daemon.counted("ingle_trace_segments_dropped_total")['{reason="malformed"}']
    assert after - before == len(bad)
    assert sum(daemon.counted("ingle_trace_spans_exported_total").values()) > 0


def test_report_names_trace_and_segment(sandboxed: Sandboxed) -> None:
    name = sandboxed.create(
        "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n", **ACTIVE
    )
    answer = sandboxed.client.invoke(FunctionName=name, LogType="Tail")
    header = json.loads(answer["Payload"].read())
    found = re.fullmatch(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=1", told(header))
    assert found
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.endswith(f"\nXRAY TraceId: {found[1]}\tSegmentId: {found[2]}\tSampled: true\t\n")
    (report,) = [line for line in sandboxed.log(name, "REPORT") if "REPORT" in line]
    assert f"\nXRAY TraceId: {found[1]}\t" in report


@pytest.mark.parametrize(("settings", "sockets"), [({}, []), (ACTIVE, ["0164FEA9:07D0"])])
def test_only_traced_functions_have_the_daemons_socket(
    walled: Sandboxed, settings: dict[str, Any], sockets: list[str]
) -> None:
    """Without a collector, that is. The socket is at 169.254.100.1:2000, in the kernel's spelling."""
    name = walled.create(PROBE, **settings)
    code = "result = [line.split()[1] for line in read('/proc/net/udp').splitlines()[1:]]"
    assert walled.probe(code, function=name) == sockets
