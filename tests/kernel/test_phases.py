"""Initialisation, time-outs, memory and output at their limits, as the log tells of them."""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed, distributions, new_server
from served import Server, package

pytestmark = pytest.mark.kernel


def tail(sandboxed: Sandboxed, name: str, event: Any) -> tuple[Any, str]:
    """The function's answer, and the end of its log."""
    answer = sandboxed.client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    return json.loads(answer["Payload"].read() or "null"), base64.b64decode(answer["LogResult"]).decode()


# --- initialisation ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hurried() -> Iterator[Sandboxed]:
    """A server whose environments have half a second for their initialisation."""
    usual = new_server("root")
    server = Server(usual.data_dir, program=(sys.executable, str(Path(__file__).parent / "short_init.py")),
                    **usual._settings)  # fmt: skip
    server.start()
    yield Sandboxed(server, "root")
    assert server.stop() == 0
    shutil.rmtree(server.data_dir.parent)


SLOW_ONCE = """
import os, time
first = not os.path.exists("/tmp/started")
open("/tmp/started", "w").close()
time.sleep(30 if first else 0.2)
def handler(event, context):
    return context.get_remaining_time_in_millis()
"""


def test_a_long_initialisation_is_repeated_within_the_invocation(hurried: Sandboxed) -> None:
    name = hurried.create(SLOW_ONCE, Timeout=3)
    left, _ = tail(hurried, name, None)
    assert left < 2800  # what the second initialisation took is not the handler's any more
    lines = hurried.log(name, "REPORT")
    reports = [line for line in lines if line.startswith("INIT_REPORT")]
    assert len(reports) == 1
    assert re.fullmatch(r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: timeout\n", reports[0])
    assert len([line for line in lines if line.startswith("INIT_START")]) == 2
    (report,) = [line for line in lines if line.startswith("REPORT")]
    assert "Init Duration" not in report
    assert float(report.split("\tDuration: ")[1].split(" ms")[0]) >= 200


def test_an_initialisation_without_end_is_a_time_out_of_the_function(hurried: Sandboxed) -> None:
    name = hurried.create("import time\ntime.sleep(30)\ndef handler(event, context): pass\n", Timeout=1)
    document, log = tail(hurried, name, None)
    assert document["errorType"] == "Sandbox.Timedout"
    assert document["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "\tDuration: 1000.00 ms\t" in log
    assert log.endswith("Status: timeout\n")
    assert [line.split("\t", 1)[1] for line in hurried.log(name, "Phase: invoke") if "INIT_REPORT" in line] == [
        "Phase: init\tStatus: timeout\n", "Phase: invoke\tStatus: timeout\n"
    ]  # fmt: skip


# --- time and memory --------------------------------------------------------------------------------------------------


def test_a_time_out_is_reported_to_the_millisecond(walled: Sandboxed) -> None:
    name = walled.create(PROBE, Timeout=1, MemorySize=256)
    walled.probe("kept['global'] = 1; open('/tmp/kept', 'w').close()", function=name)
    document, log = tail(walled, name, {"code": "time.sleep(30)"})
    assert document["errorType"] == "Sandbox.Timedout"
    assert re.search(r"\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\t", log)
    assert log.endswith("\tStatus: timeout\n")
    found = walled.probe("result = [kept, os.path.exists('/tmp/kept'), len(os.listdir('/proc'))]", function=name)
    assert found[:2] == [{}, True]
    walled.client.delete_function(FunctionName=name)


def test_too_much_memory_ends_one_environment_and_is_reported(limited: Sandboxed) -> None:
    name, other = limited.create(PROBE, MemorySize=128), limited.create(PROBE, MemorySize=128)
    limited.probe("kept['mine'] = 1", function=other)
    document, log = tail(limited, name, {"code": "result = len(os.urandom(1) * (300 << 20))"})
    assert document["errorType"] == "Runtime.OutOfMemory"
    assert document["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert "\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t" in log
    assert log.endswith("Status: error\tError Type: Runtime.OutOfMemory\n")
    assert limited.probe("result = kept", function=other) == {"mine": 1}


def test_a_child_that_runs_out_of_memory_leaves_the_runtime(limited: Sandboxed) -> None:
    name = limited.create(PROBE, MemorySize=128)
    code = """
kept["mine"] = 1
hungry = ("import sys; open('/proc/self/oom_score_adj', 'w').write('1000'); "
          "x = bytearray(b'x' * (300 << 20)); sys.exit(len(x) == 0)")
result = subprocess.run([sys.executable, "-S", "-c", hungry], stderr=subprocess.DEVNULL).returncode
"""
    assert limited.probe(code, function=name) == -9
    assert limited.probe("result = kept", function=name) == {"mine": 1}
    # Another end by the same signal is not taken for one.
    with pytest.raises(FunctionFailed) as raised:
        limited.probe("os.kill(os.getpid(), 9)", function=name)
    assert raised.value.kind == "Runtime.ExitError"


# --- output -----------------------------------------------------------------------------------------------------------


def test_fifty_megabytes_of_lines_arrive_and_the_server_stays_small(walled: Sandboxed) -> None:
    name = walled.create(PROBE, MemorySize=1769, Timeout=60)
    walled.probe("result = 1", function=name)
    before = _resident_mb(walled)
    walled.probe("for n in range(500): sys.stdout.write(('%07d ' % n + 'x' * 1015 + '\\n') * 100)", function=name)
    assert _resident_mb(walled) - before < 100
    until = time.monotonic() + 60
    count = 0
    logs = walled.server.client("logs")
    while count < 50_000 and time.monotonic() < until:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        count = sum(event["message"].endswith("x\n") for page in pages for event in page["events"])
    assert count == 50_000
    walled.client.delete_function(FunctionName=name)


def _resident_mb(walled: Sandboxed) -> int:
    status = Path(f"/proc/{walled.server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def test_long_lines_binary_output_and_lines_without_end(walled: Sandboxed) -> None:
    name = walled.create(PROBE, MemorySize=512)
    code = """
print("k" * 262143)
sys.stdout.buffer.write(b"\\x00\\xff\\xfe binary\\n"); sys.stdout.flush()
print("carriage\\rreturn")
sys.stdout.write("without end")
"""
    walled.probe(code, function=name)
    lines = walled.log(name, "REPORT")
    assert "k" * 262143 + "\n" in lines
    assert "\0\ufffd\ufffd binary\n" in lines
    assert "carriage\rreturn\n" in lines
    assert "without end" in lines


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 11)", "sys.exit(1)", "while True: pass"])
def test_the_last_lines_before_an_end_are_kept(walled: Sandboxed, end: str) -> None:
    name = walled.create(PROBE, MemorySize=512, Timeout=1)
    code = f"for n in range(2000): print('line', n)\nsys.stdout.write('the last words'); sys.stdout.flush()\n{end}"
    with pytest.raises(FunctionFailed):
        walled.probe(code, function=name)
    lines = walled.log(name, "REPORT")
    assert [line for line in lines if line.startswith("line ")] == [f"line {n}\n" for n in range(2000)]
    assert "the last words" in lines
    assert lines.index("the last words") < next(n for n, line in enumerate(lines) if line.startswith("END "))


# --- libraries in layers ----------------------------------------------------------------------------------------------


def test_powertools_in_a_layer(walled: Sandboxed) -> None:
    vendored = distributions("aws-lambda-powertools", "jmespath", "typing-extensions")
    content = package({f"python/{path}": data for path, data in vendored.items()})
    layer = walled.client.publish_layer_version(LayerName="powertools", Content={"ZipFile": content})
    source = """
import aws_lambda_powertools
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.metadata import get_lambda_metadata
logger = Logger(service="mine")
@logger.inject_lambda_context
def handler(event, context):
    logger.info("said")
    return [aws_lambda_powertools.__file__, get_lambda_metadata().availability_zone_id]
"""
    name = walled.create(source, Layers=[layer["LayerVersionArn"]], MemorySize=512)
    path, zone = walled.call(name)
    assert path.startswith("/opt/python/aws_lambda_powertools/")
    assert zone == "use1-az1"
    documents = [json.loads(line) for line in walled.log(name, "REPORT") if line.startswith("{")]
    assert [(d["message"], d["service"], d["function_name"]) for d in documents] == [("said", "mine", name)]
