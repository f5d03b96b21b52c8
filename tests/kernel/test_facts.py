"""What a function finds around it: variables, files, limits and identity, as AWS documents them."""

from __future__ import annotations

import os
import platform
from typing import Any

import pytest

from kernel.sandboxed import PROBE, Sandboxed

pytestmark = pytest.mark.kernel

#: Variables of every runtime.
EVERYWHERE = {
    "_HANDLER", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "LANG", "LD_LIBRARY_PATH", "PATH", "TZ",
}  # fmt: skip
MANAGED = EVERYWHERE | {"AWS_EXECUTION_ENV", "PWD", "SHLVL"}
PER_RUNTIME = {
    "python3.11": MANAGED | {"LC_CTYPE", "PYTHONPATH"},
    "nodejs20.x": MANAGED | {"NODE_PATH"},
    "provided.al2023": EVERYWHERE,
}
#: Set by a runtime for each invocation that is traced.
BY_INVOCATION = {"_X_AMZN_TRACE_ID"}
SHELL = """#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
tr '\\0' '\\n' < /proc/self/environ > /tmp/environ
while true; do
  curl -sS -D /tmp/head "$api/invocation/next" > /dev/null
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id /tmp/head | tr -d '[:space:]' | cut -d: -f2)
  printf '"%s"' "$(cut -d= -f1 /tmp/environ | tr '\\n' ' ')" > /tmp/answer
  curl -sS "$api/invocation/$id/response" --data-binary @/tmp/answer > /dev/null
done
"""
HANDLERS: dict[str, dict[str, str | bytes]] = {
    "python3.11": {"app.py": "import os\ndef handler(event, context):\n    return ' '.join(os.environ)\n"},
    "nodejs20.x": {"app.js": "exports.handler = async () => Object.keys(process.env).join(' ');\n"},
    "provided.al2023": {"bootstrap": SHELL},
}


@pytest.mark.parametrize("runtime", list(PER_RUNTIME))
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_variables_are_exactly_the_documented_ones(walled: Sandboxed, runtime: str, log_format: str) -> None:
    if runtime == "provided.al2023" and not os.access("/usr/bin/curl", os.X_OK):
        pytest.skip("curl is not installed")
    name = walled.create(HANDLERS[runtime], Runtime=runtime, LoggingConfig={"LogFormat": log_format},
                         Environment={"Variables": {"MINE": "1"}})  # fmt: skip
    found = set(walled.call(name).split()) - BY_INVOCATION
    expected = PER_RUNTIME[runtime] | {"MINE"}
    if log_format == "JSON":
        expected |= {"AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"}
    assert found == expected


def test_variables_have_the_documented_values(walled: Sandboxed) -> None:
    name = walled.create(PROBE, MemorySize=256)
    found = walled.probe("result = dict(os.environ)", function=name)
    expected = {
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}", "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime", "_HANDLER": "app.handler", "TZ": ":UTC", "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8", "PWD": "/var/task", "SHLVL": "0", "PYTHONPATH": "/var/runtime",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:"
                           "/opt/lib",
    }  # fmt: skip
    assert {key: found.get(key) for key in expected} == expected
    assert found["AWS_LAMBDA_RUNTIME_API"].endswith(":9001")


FACTS = """
import grp, pwd, resource
result = {
    "cwd": os.getcwd(), "umask": os.umask(0o022), "home": os.environ.get("HOME"), "machine": os.uname().machine,
    "shm": os.path.exists("/dev/shm"), "uid": os.getuid(), "groups": os.getgroups(),
    "user": pwd.getpwuid(os.getuid()).pw_name, "expanded": os.path.expanduser("~"),
    "modes": {path: oct(os.stat(path).st_mode & 0o7777) for path in ("/var/task", "/opt", "/tmp", "/var/runtime")},
    "owners": {path: os.stat(path).st_uid for path in ("/var/task", "/opt", "/tmp", "/var/runtime")},
    "limits": {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name))
               for name in ("NOFILE", "NPROC", "CORE", "MEMLOCK", "STACK", "AS", "FSIZE", "CPU", "DATA")},
    "sudo": attempt(os.setuid, 0),
}
"""


@pytest.fixture(scope="module")
def facts(walled: Sandboxed) -> Any:
    return walled.probe(FACTS)


def test_where_a_function_is_and_who(walled: Sandboxed, facts: Any) -> None:
    assert facts["cwd"] == "/var/task"
    assert facts["umask"] == 0o022
    assert facts["home"] is None
    assert facts["expanded"] == "/"
    assert facts["machine"] == platform.machine()
    assert facts["uid"] != 0
    assert facts["user"].startswith("sbx_user")
    assert facts["sudo"] in ("EPERM", "EINVAL")
    if walled.isolation == "root":
        assert facts["groups"] == []


def test_the_code_is_the_roots_and_tmp_is_everybodys(walled: Sandboxed, facts: Any) -> None:
    assert facts["modes"] == {"/var/task": "0o755", "/opt": "0o755", "/tmp": "0o1777", "/var/runtime": "0o755"}
    if walled.isolation == "root":
        assert facts["owners"] == {"/var/task": 0, "/opt": 0, "/tmp": 0, "/var/runtime": 0}


def test_there_is_no_shared_memory(walled: Sandboxed, facts: Any) -> None:
    assert not facts["shm"]
    code = """
import multiprocessing
def work():
    try:
        multiprocessing.Queue()
    except OSError as error:
        return error.errno
result = [work(), None]
parent, child = multiprocessing.Pipe()
process = multiprocessing.get_context("fork").Process(target=lambda: child.send("by pipe"))
process.start(); process.join()
result[1] = parent.recv()
"""
    number, text = walled.probe(code)
    assert number in (2, 38)
    assert text == "by pipe"


def test_limits_of_resources(walled: Sandboxed, facts: Any) -> None:
    limits = facts["limits"]
    assert limits["NOFILE"] == [1024, 1024]
    assert limits["STACK"][0] == 8_388_608
    assert limits["MEMLOCK"] == [65_536, 65_536]
    if walled.isolation == "root":
        assert limits["NPROC"] == [1024, 1024]
        assert limits["CORE"] == [10_737_418_240, 10_737_418_240]
        assert limits["STACK"][1] == -1
    assert [limits[name][0] for name in ("AS", "FSIZE", "CPU", "DATA")] == [-1] * 4


def test_only_tmp_can_be_written(walled: Sandboxed) -> None:
    code = """
def writable(top):
    found = []
    for directory, directories, _ in os.walk(top):
        directories[:] = [name for name in directories if os.path.join(directory, name) not in ("/proc", "/sys")]
        if os.access(directory, os.W_OK) and isinstance(attempt(write, directory + "/attempt"), str):
            if os.path.exists(directory + "/attempt"):
                found.append(directory)
                os.unlink(directory + "/attempt")
    return found
result = writable("/")
"""
    assert [path for path in walled.probe(code) if not path.startswith("/tmp")] == []


METADATA = """
import urllib.error, urllib.request
def fetch(path, token, method="GET"):
    address = "http://%s%s" % (os.environ["AWS_LAMBDA_METADATA_API"], path)
    request = urllib.request.Request(address, headers={"Authorization": token}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return [answer.status, answer.headers["Cache-Control"], json.loads(answer.read())]
    except urllib.error.HTTPError as error:
        return error.code
where = "/2026-01-15/metadata/execution-environment"
token = "Bearer " + os.environ["AWS_LAMBDA_METADATA_TOKEN"]
"""


def test_the_metadata_endpoint_tells_the_zone(walled: Sandboxed) -> None:
    code = (
        METADATA
        + "result = [fetch(where, token), fetch(where, token[:-1]), fetch(where, ''), fetch(where + 's', token)]"
    )
    found, *refused = walled.probe(code)
    assert found == [200, "private, max-age=43200, immutable", {"AvailabilityZoneID": "use1-az1"}]
    assert refused == [401, 401, 404]
    assert walled.probe(METADATA + "result = fetch(where, token, 'POST')") == 405


def test_credentials_of_another_kind_than_the_variables_are_for_nobody_who_guesses(walled: Sandboxed) -> None:
    assert walled.probe(METADATA + "result = fetch('/2021-04-23/credentials', token)") == 404
