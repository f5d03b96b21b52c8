"""Ingle's Python runtime in real sandboxes, beside AWS's own, which runs there as a custom runtime."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import time
import zipfile
from typing import Any

import pytest

from kernel.sandboxed import FunctionFailed, Sandboxed, distributions

pytestmark = pytest.mark.kernel

#: In the sandbox of a custom runtime the interpreter that environments are forked from is at /var/lang.
BOOTSTRAP = """#!/bin/sh
export PYTHONPATH=/var/runtime AWS_EXECUTION_ENV=AWS_Lambda_python3.11
exec /var/lang/bin/python3.11 -m awslambdaric "$_HANDLER"
"""
PROBE = """
import collections, decimal, json, logging, os, sys, threading, time

class Mine(Exception):
    pass

class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no text")

Point = collections.namedtuple("Point", "x y")
count = 0

def handler(event, context):
    global count
    count += 1
    scope = {**globals(), "event": event, "context": context, "result": None}
    exec(event, scope)
    return scope["result"]
"""
#: What the host sets for functions with JSON logs.
JSON_LOG = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
SAY = """
log = logging.getLogger("mine")
log.debug("hidden"); log.info("info %d", 1); log.warning("two\\nlines", extra={"k": [1], "odd": object})
print("printed"); context.log("as it is\\n")
try: 1 / 0
except ZeroDivisionError: log.exception("caught")
"""


class Answer:
    """One invocation: what the caller got, and the log of it without what is different each time."""

    def __init__(self, sandboxed: Sandboxed, name: str, event: Any) -> None:
        response = sandboxed.client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        self.request_id = response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
        self.error = response.get("FunctionError")
        self.body = response["Payload"].read().decode().replace(self.request_id, "<id>")
        self.log = base64.b64decode(response["LogResult"]).decode().replace("\r", "\n")

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[str]:
        """What the function wrote: between START and END."""
        text = re.sub(r"(?s)^.*?START [^\n]*\n|END RequestId.*$", "", self.log)
        return [_plain(line, self.request_id) for line in text.splitlines() if line]


def _plain(line: str, request_id: str) -> str:
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "<time>", line)
    return line.replace(request_id, "<id>").rstrip()


class Pair:
    """The same function under both runtimes."""

    def __init__(self, sandboxed: Sandboxed, files: dict[str, str | bytes], handler: str, **settings: Any) -> None:
        client = distributions("awslambdaric", "simplejson", "snapshot-restore-py")
        self._sandboxed = sandboxed
        common = {"Handler": handler, "MemorySize": 512, **settings}
        self.ours = sandboxed.create(files, Runtime="python3.11", **common)
        self.theirs = sandboxed.create({"bootstrap": BOOTSTRAP, **files, **client}, Runtime="provided.al2023", **common)

    def same(self, event: Any, *, log: bool = True) -> Answer:
        """Ingle's answer, once it was found to be AWS's too."""
        ours, theirs = (Answer(self._sandboxed, name, event) for name in (self.ours, self.theirs))
        assert (ours.error, ours.body) == (theirs.error, theirs.body)
        if log:
            assert ours.lines() == theirs.lines()
        return ours


@pytest.fixture(scope="module")
def pair(walled: Sandboxed) -> Pair:
    return Pair(walled, {"app.py": PROBE}, "app.handler")


@pytest.fixture(scope="module")
def json_pair(walled: Sandboxed) -> Pair:
    return Pair(walled, {"app.py": PROBE}, "app.handler", Environment={"Variables": JSON_LOG})


class TestBesideAws:
    @pytest.mark.parametrize(
        "code",
        ["result = {'ü': [1, 2.5, None]}", "result = [decimal.Decimal('1.10'), Point(1, b'x'), float('nan')]",
         "result = {1, 2}", "raise Mine('ü\\nlines')", "raise Mine", "import absent",
         "result = [os.getcwd(), os.environ['_HANDLER'], context.function_name[:6], context.memory_limit_in_mb]"],
    )  # fmt: skip
    def test_results_and_exceptions(self, pair: Pair, json_pair: Pair, code: str) -> None:
        pair.same(code)
        json_pair.same(code)

    @pytest.mark.parametrize(
        ("code", "text"),
        [("sys.exit(3)", "exit status 3"), ("sys.exit('text')", "exit status 1"), ("os._exit(4)", "exit status 4"),
         ("sys.exit()", None), ("sys.exit(0)", None), ("raise KeyboardInterrupt", "signal: interrupt"),
         ("raise GeneratorExit", "exit status 1"), ("raise Unspeakable", "exit status 1"),
         ("raise Mine('\\ud800')", "exit status 1"), ("os.abort()", "signal: aborted"),
         ("import ctypes; ctypes.string_at(0)", "signal: segmentation fault"),
         ("os.kill(os.getpid(), 9)", "signal: killed")],
    )  # fmt: skip
    def test_what_ends_the_runtime(self, pair: Pair, code: str, text: str | None) -> None:
        answer = pair.same(code, log=False)
        ending = f"Runtime exited with error: {text}" if text else "Runtime exited without providing a reason"
        assert answer.document["errorType"] == "Runtime.ExitError"
        assert answer.document["errorMessage"] == f"RequestId: <id> Error: {ending}"
        assert pair.same("result = count").body == "1"

    def test_log_lines(self, pair: Pair, json_pair: Pair) -> None:
        assert "[WARNING]\t<time>\t<id>\ttwo" in pair.same(SAY).lines()
        lines = json_pair.same(SAY).lines()
        assert len(lines) == 5
        assert json.loads(lines[0])["message"] == "info 1"

    @pytest.mark.parametrize(
        ("handler", "source"),
        [("app.handler", "import absent\n"), ("app.handler", "x = 1\ndef handler(:\n"), ("app.absent", ""), ("app", ""),
         ("app.handler", "raise Exception('Runtime startup fails')\n"), ("sys.exit", ""), (".handler", ""),
         ("app.handler", "import native\n"), ("dir/deep.handler", ""), ("app.handler", "import os; os._exit(0)\n"),
         ("app.handler", "raise SystemExit('text')\n"), ("app.handler", "raise KeyboardInterrupt\n")],
    )  # fmt: skip
    def test_functions_that_cannot_be_initialised(self, walled: Sandboxed, handler: str, source: str) -> None:
        foreign = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 8, 1) + bytes(200)
        files: dict[str, str | bytes] = {"app.py": source, "native.so": foreign, "dir/deep.py": "1 / 0\n"}
        answer = Pair(walled, files, handler).same(1, log=False)
        assert answer.error == "Unhandled"

    def test_a_module_that_may_not_be_read(self, walled: Sandboxed) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, mode, content in (("app.py", 0o600, PROBE), ("helper.py", 0o644, "")):
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, (0o100000 | mode) << 16
                archive.writestr(info, content)
        if walled.isolation == "user":
            pytest.skip("isolation user: functions run as the user who owns the extracted files")
        with pytest.raises(FunctionFailed) as raised:
            walled.call(walled.create({}, zipped=buffer.getvalue()))
        assert raised.value.kind == "PermissionError"
        assert raised.value.message == "[Errno 13] Permission denied: '/var/task/app.py'"


class TestProcesses:
    def test_a_runtime_that_ends_between_invocations_is_replaced(self, sandboxed: Sandboxed) -> None:
        name = sandboxed.create(PROBE)
        sandboxed.call(name, "threading.Timer(0.01, os._exit, [6]).start()")
        until = time.monotonic() + 10
        counts: list[object] = []
        while 1 not in counts[-1:] and time.monotonic() < until:
            try:
                counts.append(sandboxed.call(name, "result = count"))
            except FunctionFailed as failed:  # it may end during this one
                counts.append(failed.kind)
        assert counts[-1] == 1
        assert all(isinstance(count, int) or count == "Runtime.ExitError" for count in counts)

    def test_threads_go_on_in_the_next_invocation(self, sandboxed: Sandboxed) -> None:
        name = sandboxed.create(PROBE)
        start = """
done = sys.modules["done"] = threading.Event()
threading.Thread(target=lambda: (time.sleep(0.1), done.set()), daemon=%s).start()
"""
        for daemon in (True, False):
            sandboxed.call(name, start % daemon)
            assert sandboxed.call(name, "result = sys.modules['done'].wait(10)") is True
        assert sandboxed.call(name, "result = count") == 5

    def test_an_executed_runtime_ends_as_a_forked_one(self, sandboxed: Sandboxed) -> None:
        executed = sandboxed.create(PROBE, Environment={"Variables": {"PYTHONHASHSEED": "0"}})
        forked = sandboxed.create(PROBE)
        for code in ("sys.exit(3)", "sys.exit('text')", "raise KeyboardInterrupt", "raise Unspeakable", "1 / 0"):
            failures = []
            for name in (executed, forked):
                with pytest.raises(FunctionFailed) as raised:
                    sandboxed.call(name, code)
                failures.append((raised.value.kind, raised.value.message.partition(" Error: ")[2]))
            assert failures[0] == failures[1]

    def test_a_refused_response_costs_the_environment(self, sandboxed: Sandboxed) -> None:
        name = sandboxed.create(PROBE, MemorySize=512)
        with pytest.raises(FunctionFailed) as raised:
            sandboxed.call(name, "result = 'a' * 6_291_555")
        assert raised.value.kind == "Function.ResponseSizeTooLarge"
        assert sandboxed.call(name, "result = count") == 1


class TestLogs:
    def test_json_records_are_one_event_each(self, sandboxed: Sandboxed) -> None:
        name = sandboxed.create(PROBE, Environment={"Variables": {**JSON_LOG, "AWS_LAMBDA_LOG_LEVEL": "WARN"}})
        sandboxed.call(name, SAY)
        with pytest.raises(FunctionFailed):
            sandboxed.call(name, "raise Mine('why')")
        events = [
            json.loads(message) for message in sandboxed.log(name, "REPORT RequestId", 2) if message.startswith("{")
        ]
        records = [event for event in events if "level" in event]
        assert [record["level"] for record in records] == ["WARNING", "ERROR", "ERROR"]
        assert records[0]["message"] == "two\nlines"
        assert (records[0]["k"], records[0]["odd"]) == ([1], "<class 'object'>")
        assert records[1]["errorType"] == "ZeroDivisionError"
        assert (records[2]["errorType"], records[2]["errorMessage"]) == ("Mine", "why")
        assert set(records[2]) == {"timestamp", "level", "errorType", "errorMessage", "requestId", "stackTrace"}

    def test_long_output_is_whole(self, sandboxed: Sandboxed) -> None:
        name = sandboxed.create(PROBE, MemorySize=512)
        sandboxed.call(name, "print('x' * 100_000); print('y' * 3_000_000); logging.warning('z' * 1_500_000)")
        written = "".join(sandboxed.log(name, "REPORT RequestId", 1))
        assert [written.count(letter * 100_000) for letter in "xyz"] == [1, 30, 15]
        assert "\0" not in written

    def test_powertools_for_aws_lambda(self, sandboxed: Sandboxed) -> None:
        source = """
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger, metrics = Logger(), Metrics()

@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(log_event=True)
def handler(event, context):
    logger.info("said", extra={"k": 1})
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=2)
    if event == "fail":
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("caught\\nhere")
    return "served"
"""
        vendored = distributions("aws-lambda-powertools", "jmespath", "typing-extensions")
        variables = {"POWERTOOLS_SERVICE_NAME": "mine", "POWERTOOLS_METRICS_NAMESPACE": "Shop"}
        name = sandboxed.create({"app.py": source, **vendored}, MemorySize=512, Environment={"Variables": variables})
        assert sandboxed.call(name, {"n": 1}) == "served"
        assert sandboxed.call(name, "fail") == "served"
        messages = sandboxed.log(name, "REPORT RequestId", 2)
        documents = [json.loads(message) for message in messages if message.startswith("{")]
        said = [document for document in documents if document.get("message") == "said"]
        assert [(d["level"], d["service"], d["k"], d["cold_start"], d["function_name"]) for d in said] == [
            ("INFO", "mine", 1, True, name), ("INFO", "mine", 1, False, name),
        ]  # fmt: skip
        (caught,) = [document for document in documents if document.get("message") == "caught\nhere"]
        assert caught["exception_name"] == "ZeroDivisionError"
        orders = [document["Orders"] for document in documents if "Orders" in document]
        assert orders == [[2.0], [2.0]]
        assert len([document for document in documents if document.get("ColdStart") == [1.0]]) == 1
        assert not [message for message in messages if message.count("\n") > 1]
