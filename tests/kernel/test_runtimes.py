"""Each Python runtime found here, and the ways in which a package may differ from the plain one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingle.settings import load
from ingle.worker import families
from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed, library

pytestmark = pytest.mark.kernel

FOUND = {found.runtime for found in families.search(load()).interpreters}
HELLO = "import sys\n\ndef handler(event, context):\n    return ['%s', *sys.version_info[:2]]\n"


@pytest.mark.parametrize("runtime", ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"])
class TestEveryPython:
    @pytest.fixture(autouse=True)
    def _there(self, sandboxed: Sandboxed, runtime: str) -> None:
        if runtime not in FOUND:
            pytest.skip(f"no interpreter for {runtime} on this machine")
        if sandboxed.isolation == "user" and runtime != "python3.11":
            pytest.skip("an ordinary user cannot read the other interpreters of a machine of root's")

    def test_runs_a_handler(self, sandboxed: Sandboxed, runtime: str) -> None:
        name = sandboxed.create(HELLO % "hello", Runtime=runtime)
        assert sandboxed.call(name) == ["hello", 3, int(runtime.partition(".")[2])]

    def test_builds_a_client_of_the_sdk(self, sandboxed: Sandboxed, runtime: str) -> None:
        sandboxed.require_sdk(runtime)
        name = sandboxed.create(PROBE, Runtime=runtime, Timeout=30)
        code = """
import boto3
result = [boto3.client("s3").meta.region_name, boto3.resource("dynamodb").meta.service_name]
"""
        assert sandboxed.probe(code, function=name) == ["us-east-1", "dynamodb"]


@pytest.mark.parametrize("path", ["queue.py", "email/__init__.py", "botocore/__init__.py", "urllib3.py", "calendar.py"])
def test_a_module_of_the_package_hides_the_runtimes(sandboxed: Sandboxed, path: str) -> None:
    module = path.partition("/")[0].removesuffix(".py")
    name = sandboxed.create({"app.py": f"import {module}\ndef handler(event, context): return {module}.MINE\n",
                             path: "MINE = 'from the package'\n"})  # fmt: skip
    assert sandboxed.call(name) == "from the package"


def test_a_package_may_bring_its_own_sdk(sandboxed: Sandboxed) -> None:
    version = "VERSION = '0.0.1'\n__version__ = '0.0.1'\n"
    source = "import boto3, botocore\ndef handler(event, context): return [boto3.__version__, botocore.VERSION]\n"
    name = sandboxed.create({"app.py": source, "boto3/__init__.py": version, "botocore/__init__.py": version})
    assert sandboxed.call(name) == ["0.0.1", "0.0.1"]


@pytest.mark.parametrize("module", ["app", "bootstrap", "linux", "environment", "zygote", "handler", "runtime"])
def test_a_handler_may_have_any_name(sandboxed: Sandboxed, module: str) -> None:
    name = sandboxed.create({f"{module}.py": HELLO % module}, Handler=f"{module}.handler")
    assert sandboxed.call(name)[0] == module


def test_variables_that_the_interpreter_reads_take_effect(sandboxed: Sandboxed) -> None:
    variables = {"PYTHONPATH": "/var/task/more:/var/runtime", "PYTHONHASHSEED": "0", "LD_LIBRARY_PATH": "/var/task/lib"}
    if sandboxed.isolation == "process":
        pytest.skip("isolation process: the package is not at /var/task")
    files = {"app.py": PROBE, "more/extra.py": "X = 7\n"}
    name = sandboxed.create(files, Environment={"Variables": variables})
    code = "import extra; result = [extra.X, hash('a'), os.environ['LD_LIBRARY_PATH']]"
    found, digest, library_path = sandboxed.probe(code, function=name)
    assert (found, library_path) == (7, "/var/task/lib")
    command = [sys.executable, "-c", "print(hash('a'))"]
    expected = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True)
    assert digest == int(expected.stdout)


def test_a_wrapper_script_starts_the_runtime(sandboxed: Sandboxed) -> None:
    if sandboxed.isolation == "process":
        pytest.skip("isolation process: the package is not at /var/task")
    script = '#!/bin/sh\nexport FROM_WRAPPER="$#"\nexec "$@"\n'
    name = sandboxed.create({"app.py": PROBE, "wrapper": script},
                            Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}})  # fmt: skip
    assert int(sandboxed.probe("result = os.environ['FROM_WRAPPER']", function=name)) >= 2


def test_a_wrapper_that_is_missing_ends_with_127(sandboxed: Sandboxed) -> None:
    name = sandboxed.create(PROBE, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/absent"}})
    with pytest.raises(FunctionFailed) as raised:
        sandboxed.call(name)
    assert raised.value.kind == "Runtime.ExitError"
    assert raised.value.message.endswith("Error: Runtime exited with error: exit status 127")


def test_libraries_in_lib_are_found(walled: Sandboxed, tmp_path: Path) -> None:
    name = walled.create({"app.py": PROBE, "lib/libmine.so": library(tmp_path)})
    assert walled.probe("result = ctypes.CDLL('libmine.so').mine()", function=name) == 42


def test_the_function_can_call_the_server_with_its_sdk(sandboxed: Sandboxed) -> None:
    sandboxed.require_sdk("python3.11")
    target = sandboxed.create("def handler(event, context): return ['called', event]\n")
    code = """
import boto3
answer = boto3.client("lambda").invoke(FunctionName=event["target"], Payload=json.dumps({"n": 1}))
result = json.load(answer["Payload"])
"""
    assert sandboxed.probe(code, target=target) == ["called", {"n": 1}]
    assert json.dumps(sandboxed.probe("result = os.environ['AWS_ENDPOINT_URL']"))
