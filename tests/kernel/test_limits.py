"""Attempts to take more than the function's share: each must end in the error that AWS gives, and harm nobody else."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ingle.sandbox.launch import cgroup_name
from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed

pytestmark = pytest.mark.kernel


def test_too_much_memory_ends_in_out_of_memory(limited: Sandboxed) -> None:
    name = limited.create(PROBE, MemorySize=128)
    with pytest.raises(FunctionFailed) as raised:
        limited.probe("result = len(bytearray(os.urandom(1) * (300 << 20)))", function=name)
    assert raised.value.kind == "Runtime.OutOfMemory"
    assert raised.value.message.endswith("Error: Runtime exited with error: signal: killed")
    assert limited.probe("result = 'works again'", function=name) == "works again"


def test_memory_of_children_counts(limited: Sandboxed) -> None:
    name = limited.create(PROBE, MemorySize=128)
    code = "result = subprocess.run([sys.executable, '-c', 'len(bytearray(b\"x\" * (300 << 20)))']).returncode"
    try:
        outcome = limited.probe(code, function=name)
    except FunctionFailed as failed:
        outcome = failed.kind
    assert outcome in (-9, "Runtime.OutOfMemory")
    assert limited.probe("result = 'works again'", function=name) == "works again"


@pytest.mark.parametrize("megabytes", [512, 1024])
def test_a_full_tmp_is_no_space_and_not_out_of_memory(limited: Sandboxed, megabytes: int) -> None:
    name = limited.create(PROBE, MemorySize=256, Timeout=60, EphemeralStorage={"Size": megabytes})
    code = """
written, block = 0, b"x" * (4 << 20)
outcome = None
with open("/tmp/fill", "wb", buffering=0) as file:
    while outcome is None:
        try:
            # Space is set aside, which takes as much as writing it and no time.
            os.posix_fallocate(file.fileno(), written, len(block))
            written += len(block)
        except OSError as error:
            outcome = errno.errorcode[error.errno]
        if written >> 20 > event["megabytes"]:
            outcome = "more than was asked for"
os.unlink("/tmp/fill")
result = [outcome, written >> 20]
"""
    outcome, written = limited.probe(code, function=name, megabytes=megabytes)
    assert outcome == "ENOSPC"
    assert megabytes * 0.94 <= written <= megabytes


def test_a_fork_bomb_is_bounded(limited: Sandboxed) -> None:
    name = limited.create(PROBE, MemorySize=3008)
    code = """
children, outcome = [], None
try:
    while len(children) < 3000:
        children.append(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}))
except OSError as error:
    outcome = errno.errorcode[error.errno]
result = [len(children), outcome]
"""
    count, outcome = limited.probe(code, function=name)
    assert outcome == "EAGAIN"
    assert count < 1024
    # Others are not harmed while the processes are still there.
    assert limited.probe("result = 'fine'") == "fine"
    limited.client.delete_function(FunctionName=name)


def test_descriptors_end_at_1024(sandboxed: Sandboxed) -> None:
    code = """
files, outcome = [], None
try:
    while len(files) < 2000:
        files.append(open("/dev/null"))
except OSError as error:
    outcome = errno.errorcode[error.errno]
for file in files:
    file.close()
result = [len(files), outcome]
"""
    count, outcome = sandboxed.probe(code)
    assert outcome == "EMFILE"
    assert 1000 < count < 1024


def test_processor_time_is_a_share_of_memory(limited: Sandboxed) -> None:
    parent = Path("/sys/fs/cgroup/cpu", cgroup_name(limited.server.data_dir))
    if not parent.is_dir():
        pytest.skip("no cpu controller of version 1")
    name = limited.create(PROBE, MemorySize=128)
    limited.probe("result = None", function=name)
    files = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    shares = {
        tuple((group / file).read_text().strip() for file in files) for group in parent.iterdir() if group.is_dir()
    }
    assert (str(128 * 20_000 // 1769), "20000") in shares


def test_limits_of_resources_are_those_of_aws(sandboxed: Sandboxed) -> None:
    code = "import resource; result = [resource.getrlimit(getattr(resource, name)) for name in event['names']]"
    files, processes, core = sandboxed.probe(code, names=["RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE"])
    assert (files, processes[0], core[0]) == ([1024, 1024], 1024, 10_737_418_240)


def test_output_without_end_does_not_hold_the_server_up(sandboxed: Sandboxed) -> None:
    name = sandboxed.create(PROBE, MemorySize=1769, Timeout=3)
    code = """
kept["flood"] = subprocess.Popen(["/bin/sh", "-c", "while :; do echo flood; done"])
time.sleep(0.3)
result = "flooding"
"""
    answer = sandboxed.client.invoke(FunctionName=name, LogType="Tail", Payload=json.dumps({"code": code}))
    assert answer["Payload"].read() == b'"flooding"'
    assert len(base64.b64decode(answer["LogResult"])) == 4096
    assert sandboxed.probe("result = 'fine'") == "fine"
    sandboxed.client.delete_function(FunctionName=name)


#: Keeps as many MB as it is given; ends for a negative number.
KEEPING = {
    "python3.11": {
        "app.py": """
import os
kept = []
def handler(event, context):
    if event < 0:
        os._exit(1)
    kept.append(b"x" * (event << 20))
"""
    },
    "nodejs20.x": {
        "app.js": """
const kept = [];
exports.handler = async (event) => {
  if (event < 0) process.exit(1);
  kept.push(Buffer.alloc(event << 20, 1));
};
"""
    },
}


@pytest.mark.parametrize("runtime", KEEPING)
def test_the_memory_that_was_used_is_measured(sandboxed: Sandboxed, runtime: str) -> None:
    name = sandboxed.create(KEEPING[runtime], Runtime=runtime, MemorySize=1024)
    for megabytes in (1, 200):
        sandboxed.call(name, megabytes)
    with pytest.raises(FunctionFailed):
        sandboxed.call(name, -1)
    sandboxed.call(name, 200)
    reports = [line for line in sandboxed.log(name, "REPORT", 4) if line.startswith("REPORT")]
    small, much, _, again = (int(line.split("Max Memory Used: ")[1].split(" ")[0]) for line in reports)
    assert 0 < small < 200 <= much < 512
    assert 200 <= again < 512
