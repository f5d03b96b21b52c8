"""SnapStart as callers see it: initialised once when a version is published, restored for each environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingle.settings import load
from ingle.worker import families
from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed, descendants, new_server

pytestmark = pytest.mark.kernel
RUNTIME = "python3.12"
#: A stand-in for the package of hooks that AWS's runtimes bring.
HOOKS = """
before, after = [], []
def register_before_snapshot(function, *args, **kwargs): before.append((function, args, kwargs)); return function
def register_after_restore(function, *args, **kwargs): after.append((function, args, kwargs)); return function
def get_before_snapshot(): return before
def get_after_restore(): return after
"""
HELD = (
    PROBE
    + """
made = os.urandom(8).hex()
def wait():
    open("/tmp/%s" % os.getpid(), "w").close()
    time.sleep(0.3)
"""
)


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if outcome := condition():
            return outcome
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Snapped:
    """Published versions of SnapStart functions on one server."""

    def __init__(self, sandboxed: Sandboxed) -> None:
        self.sandboxed = sandboxed
        self.client = sandboxed.client

    def publish(self, source: str | dict[str, str], **settings: Any) -> tuple[str, dict[str, Any]]:
        """A function with one published version, and that version's configuration once it is not Pending."""
        files = {"app.py": source} if isinstance(source, str) else source
        name = self.sandboxed.create(files, Runtime=RUNTIME, SnapStart={"ApplyOn": "PublishedVersions"}, **settings)
        version = self.client.publish_version(FunctionName=name)
        assert (version["State"], version["SnapStart"]["OptimizationStatus"]) == ("Pending", "On")

        def settled() -> Any:
            now = self.client.get_function_configuration(FunctionName=name, Qualifier="1")
            return now if now["State"] != "Pending" else None

        return name, until(settled)

    def call(self, name: str, event: Any) -> Any:
        """What version 1 returned. Raises FunctionFailed, ClientError."""
        answer = self.client.invoke(FunctionName=name, Qualifier="1", Payload=json.dumps(event))
        document = json.loads(answer["Payload"].read() or "null")
        if "FunctionError" in answer:
            raise FunctionFailed(document)
        return document

    def probe(self, name: str, code: str) -> Any:
        return self.call(name, {"code": code})

    def at_once(self, name: str, code: str, count: int) -> list[Any]:
        """What `code` leaves in as many environments, each busy while the others start."""
        held = f"open('/tmp/busy', 'w').close(); time.sleep(1)\n{code}"
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.probe(name, held), range(count)))

    def lines(self, name: str) -> list[list[str]]:
        """The log of a function, by stream."""
        logs, group = self.sandboxed.server.client("logs"), f"/aws/lambda/{name}"
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        found = [
            logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
            for stream in streams
        ]
        return [[event["message"] for event in events] for events in found]


def has_runtime(sandboxed: Sandboxed) -> None:
    found = [item for item in families.search(load()).interpreters if item.runtime == RUNTIME]
    if not found:
        pytest.skip(f"there is no interpreter for {RUNTIME} here")
    private = [path for path in found[0].executable.parents if not path.stat().st_mode & 0o001]
    if sandboxed.isolation == "user" and os.geteuid() == 0 and private:
        pytest.skip(f"an ordinary user cannot use {private[0]}; `test_clones` clones as such a user")


@pytest.fixture
def snapped(sandboxed: Sandboxed) -> Snapped:
    has_runtime(sandboxed)
    return Snapped(sandboxed)


@pytest.fixture
def cloned(snapped: Snapped, walled: Sandboxed) -> Snapped:
    """Where versions are cloned."""
    return snapped


def test_a_version_is_initialised_when_it_is_published_and_never_again(cloned: Snapped) -> None:
    name, version = cloned.publish(HELD)
    assert version["State"] == "Active"
    seen = cloned.at_once(name, "result = [made, os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']]", 4)
    assert len({made for made, _ in seen}) == 1
    assert {kind for _, kind in seen} == {"snap-start"}
    streams = cloned.lines(name)
    assert sum(line.startswith("INIT_START") for lines in streams for line in lines) == 1
    assert sum(line.startswith("RESTORE_START") for lines in streams for line in lines) >= 4


def test_the_log_tells_of_initialisation_and_restore(cloned: Snapped) -> None:
    name, _ = cloned.publish(PROBE)
    cloned.probe(name, "result = 1")
    cloned.probe(name, "result = 1")
    streams = sorted(cloned.lines(name), key=len)
    initialised, restored = streams
    assert [line.split()[0] for line in initialised] == ["INIT_START", "INIT_REPORT"]
    assert [line.split()[0] for line in restored][:5] == ["RESTORE_START", "RESTORE_REPORT", "START", "END", "REPORT"]
    first, second = (line for line in restored if line.startswith("REPORT"))
    fields = dict(part.split(": ") for part in first.strip().split("\t")[1:])
    assert "Init Duration" not in fields
    restore, billed = fields["Restore Duration"], fields["Billed Restore Duration"]
    assert restore.endswith(" ms")
    assert int(billed.removesuffix(" ms")) >= float(restore.removesuffix(" ms"))
    total = float(fields["Duration"].removesuffix(" ms")) + int(billed.removesuffix(" ms"))
    assert total <= int(fields["Billed Duration"].removesuffix(" ms")) < total + 1
    assert first.endswith(f"Billed Restore Duration: {billed}\t\n")
    assert "Restore" not in second
    assert restored[1] == f"RESTORE_REPORT Restore Duration: {restore}\n"


def test_variables_that_name_the_log_are_not_set(snapped: Snapped) -> None:
    name, _ = snapped.publish(PROBE, Environment={"Variables": {"OWN": "value"}})
    code = "result = [sorted(k for k in os.environ if 'LOG_' in k), os.environ['OWN'], context.log_stream_name]"
    assert snapped.probe(name, code) == [[], "value", None]


CALLER = (
    PROBE
    + """
import boto3
session = boto3.Session()
made = session.get_credentials().get_frozen_credentials()  # what initialisation found
"""
)


def test_credentials_are_fetched_and_not_in_variables(snapped: Snapped) -> None:
    name, version = snapped.publish(CALLER, MemorySize=512)
    assert version["State"] == "Active", version.get("StateReason")
    code = """
from botocore.credentials import ContainerProvider
own = session.get_credentials()
own.get_frozen_credentials()
again = ContainerProvider().load()  # asks anew, with what this environment has
keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
result = [sorted(keys & set(os.environ)),
          own.method, again.access_key, made.access_key, os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]]
"""
    variables, method, *keys, token = snapped.probe(name, code)
    assert (variables, method) == ([], "container-role")
    assert all(key.startswith("ASIA") for key in keys)
    others = snapped.at_once(name, "result = os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']", 2)
    assert len({*others, token}) >= 2


def test_environments_of_a_version_share_nothing(cloned: Snapped) -> None:
    name, _ = cloned.publish(HELD + "import random, uuid, secrets, ssl\n")
    code = """
result = [str(uuid.uuid4()), random.random(), secrets.token_hex(), ssl.RAND_bytes(8).hex(), os.urandom(8).hex(),
          os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/pid"), os.readlink("/proc/self/ns/mnt")]
"""
    for column in zip(*cloned.at_once(name, code, 3), strict=True):
        assert len(set(column)) == 3, column
    files = cloned.at_once(name, "open('/tmp/%s' % time.time_ns(), 'w'); result = len(os.listdir('/tmp'))", 3)
    assert max(files) <= 5


def test_functions_of_the_latest_version_start_as_ever(snapped: Snapped) -> None:
    name, _ = snapped.publish(HELD)
    latest = snapped.sandboxed.call(name, {"code": "result = [made, os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']]"})
    assert latest[1] == "on-demand"
    assert snapped.probe(name, "result = made") != latest[0]


def test_hooks_run_around_the_snapshot(snapped: Snapped) -> None:
    source = (
        PROBE
        + """
import snapshot_restore_py as hooks
ran = []
hooks.register_before_snapshot(lambda: ran.append("before 1"))
hooks.register_before_snapshot(lambda: ran.append("before 2"))
hooks.register_after_restore(lambda: ran.append("after 1"))
hooks.register_after_restore(lambda: ran.append("after 2"))
"""
    )
    name, _ = snapped.publish({"app.py": source, "snapshot_restore_py.py": HOOKS})
    assert snapped.probe(name, "result = ran") == ["before 2", "before 1", "after 1", "after 2"]


def test_a_failing_hook_after_the_restore_is_the_callers_error(snapped: Snapped) -> None:
    source = PROBE + "import snapshot_restore_py as hooks\nhooks.register_after_restore(lambda: 1 / 0)\n"
    name, version = snapped.publish({"app.py": source, "snapshot_restore_py.py": HOOKS})
    assert version["State"] == "Active"
    with pytest.raises(ClientError) as caught:
        snapped.probe(name, "result = 1")
    assert caught.value.response["Error"]["Code"] == "SnapStartException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    said = "".join(line for lines in snapped.lines(name) for line in lines)
    assert "ZeroDivisionError" in said


def test_a_restore_that_takes_too_long_is_the_callers_error(cloned: Snapped) -> None:
    source = PROBE + "import snapshot_restore_py as hooks\nhooks.register_after_restore(lambda: time.sleep(60))\n"
    name, _ = cloned.publish({"app.py": source, "snapshot_restore_py.py": HOOKS})
    with pytest.raises(ClientError) as caught:
        cloned.probe(name, "result = 1")
    assert caught.value.response["Error"]["Code"] == "SnapStartTimeoutException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 408
    reports = [line for lines in cloned.lines(name) for line in lines if line.startswith("RESTORE_REPORT")]
    assert reports[0].endswith("\tStatus: timeout\n")


def test_a_version_whose_initialisation_fails_is_failed(snapped: Snapped) -> None:
    _, version = snapped.publish(PROBE + "if os.environ['AWS_LAMBDA_FUNCTION_VERSION'] != '$LATEST': 1 / 0\n")
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "FunctionError")
    assert "ZeroDivisionError" in version["StateReason"]
    _, version = snapped.publish(PROBE + "os._exit(7)\n")
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "FunctionError")


def test_a_version_that_cannot_be_cloned_is_started_and_says_so(snapped: Snapped) -> None:
    source = HELD + "import threading\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    name, version = snapped.publish(source)
    assert version["State"] == "Active"
    first = snapped.probe(name, "result = made")
    assert first == snapped.probe(name, "result = made")
    said = "".join(line for lines in snapped.lines(name) for line in lines)
    assert "cannot be restored from a snapshot here" in said
    assert "Init Duration" in said
    if snapped.sandboxed.isolation != "process":
        assert "1 other threads are running" in said


def test_a_crash_is_followed_by_another_restore(cloned: Snapped) -> None:
    name, _ = cloned.publish(HELD)
    made = cloned.probe(name, "result = made")
    with pytest.raises(FunctionFailed) as failed:
        cloned.probe(name, "os._exit(3)")
    assert failed.value.kind == "Runtime.ExitError"
    assert cloned.probe(name, "result = made") == made


def test_a_time_out_is_followed_by_another_restore(cloned: Snapped) -> None:
    name, _ = cloned.publish(HELD, Timeout=1)
    made = cloned.probe(name, "result = made")
    with pytest.raises(FunctionFailed) as failed:
        cloned.probe(name, "time.sleep(30)")
    assert failed.value.kind == "Sandbox.Timedout"
    assert cloned.probe(name, "result = made") == made


def test_nothing_is_left_of_a_version_that_was_deleted(cloned: Snapped) -> None:
    cloned.sandboxed.create(PROBE, Runtime=RUNTIME)  # what stays: a zygote, and sandboxes that are ready
    before = processes(cloned.sandboxed)
    name, _ = cloned.publish(HELD)
    cloned.at_once(name, "result = 1", 2)
    assert len(cloned.sandboxed.server_processes()) > before
    cloned.client.delete_function(FunctionName=name)
    until(lambda: len(cloned.sandboxed.server_processes()) <= before)


def test_a_template_is_frozen_while_nothing_is_forked(cloned: Snapped) -> None:
    name, _ = cloned.publish(HELD)
    made = cloned.probe(name, "result = made")
    pids = [pid for pid in descendants(cloned.sandboxed.server.process.pid) if made_by(pid, made)]
    groups = {Path(line.split(":", 2)[2]) for pid in pids for line in Path(f"/proc/{pid}/cgroup").read_text().split()}
    templates = [group for group in groups if group.name.startswith("e") and group.parent.name.startswith("ingle-")]
    switches = [file for group in templates for file in Path("/sys/fs/cgroup").glob(f"*{group}/cgroup.freeze")]
    if not switches:
        pytest.skip("no version 2 control group freezes here")
    until(lambda: all(file.read_text().strip() == "1" for file in switches))


def processes(sandboxed: Sandboxed) -> int:
    """How many the server has once nothing is being prepared."""
    counts: list[int] = []

    def settled() -> bool:
        counts.append(len(sandboxed.server_processes()))
        return len(counts) > 10 and len(set(counts[-10:])) == 1

    until(settled)
    return counts[-1]


def test_a_template_that_is_killed_is_made_again(cloned: Snapped) -> None:
    name, _ = cloned.publish(HELD)
    made = cloned.probe(name, "result = made")

    def killed() -> list[int]:
        found = [pid for pid in descendants(cloned.sandboxed.server.process.pid) if made_by(pid, made)]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return found

    killed()
    until(lambda: not killed())  # a clone may have been made meanwhile
    until(lambda: _answer(cloned, name) not in (None, made))
    assert cloned.probe(name, "result = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']") == "snap-start"


def _answer(cloned: Snapped, name: str) -> Any:
    try:
        return cloned.probe(name, "result = made")
    except FunctionFailed:
        return None


def made_by(pid: int, text: str) -> bool:
    """Whether the process has `text` in its memory."""
    try:
        with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
            for line in maps:
                fields = line.split()
                start, end = (int(part, 16) for part in fields[0].split("-"))
                if fields[1].startswith("rw") and end - start < 1 << 26:
                    try:
                        memory.seek(start)
                        if text.encode() in memory.read(end - start):
                            return True
                    except OSError:
                        continue
    except OSError:
        return False
    return False


def test_versions_survive_a_restart_of_the_server() -> None:
    server = new_server("root")
    server.start()
    try:
        snapped = Snapped(Sandboxed(server, "root"))
        has_runtime(snapped.sandboxed)
        name, _ = snapped.publish(HELD)
        made = snapped.probe(name, "result = made")
        pids = snapped.sandboxed.server_processes()
        server.kill()
        until(lambda: not [pid for pid in pids if runs(pid)])
        server.start()
        snapped = Snapped(Sandboxed(server, "root"))
        again = snapped.at_once(name, "result = made", 2)
        assert again[0] == again[1] != made
    finally:
        server.stop()
        shutil.rmtree(server.data_dir.parent)
