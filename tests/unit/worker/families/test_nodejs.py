"""How a Node.js function is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.worker import launch_plan
from ingle.worker.families import family_of
from ingle.worker.families.family import Layout, Libraries
from ingle.worker.families.nodejs import NodeJs, feature_flags, heap_flags
from ingle.worker.interpreters import Interpreter
from ingle.worker.launch_plan import Place, ahead, command, must_execute, variables

from ..versions import IDENTITY, opened

LAYOUT = Layout(interpreter="/var/lang/bin/node")
PLACE = Place(runtime_api="127.0.0.1:9001", api=None, log_stream="s", identity=IDENTITY, layout=LAYOUT)
NODE = Interpreter(runtime="nodejs20.x", version="20.1.0", executable=Path("/opt/n/bin/node"), prefix=Path("/opt/n"))


def test_the_variables_are_awss() -> None:
    given = variables(opened("nodejs20.x"), PLACE)
    assert given["NODE_PATH"] == (
        "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
    )
    assert given["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x"
    assert (given["PWD"], given["SHLVL"]) == ("/var/task", "0")
    assert not {"PYTHONPATH", "LC_CTYPE"} & given.keys()


def test_without_namespaces_the_sdk_is_found_where_it_is_installed() -> None:
    layout = Layout(interpreter="/usr/bin/node", guest="/g", task="/t", libraries="/runtimes/sdk/node_modules")
    given = variables(
        opened("nodejs20.x"), Place(runtime_api="a:1", api=None, log_stream="s", identity=IDENTITY, layout=layout)
    )
    assert given["NODE_PATH"].endswith(":/runtimes/sdk/node_modules:/g:/t")


def test_the_program_is_the_interpreter_with_the_runtime() -> None:
    assert command(opened("nodejs20.x", memory=1024), LAYOUT, forked=False) == [
        ["/var/lang/bin/node", "--max-semi-space-size=51", "--max-old-space-size=922",
         "--no-experimental-require-module", "/var/runtime/index.mjs"]
    ]  # fmt: skip


def test_a_wrapper_gets_the_program_as_its_arguments() -> None:
    version = opened("nodejs24.x", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"})
    ((first, *rest),) = command(version, LAYOUT, forked=False) or []
    assert first == "/opt/wrap"
    assert (rest[0], rest[-1]) == ("/var/lang/bin/node", "/var/runtime/index.mjs")


@pytest.mark.parametrize(("memory", "semi", "old"), [(128, 6, 116), (1769, 88, 1593), (10_240, 512, 9216)])
def test_the_heap_stays_within_the_functions_memory(memory: int, semi: int, old: int) -> None:
    assert heap_flags(memory) == [f"--max-semi-space-size={semi}", f"--max-old-space-size={old}"]
    assert old + semi < memory


@pytest.mark.parametrize(
    ("runtime", "options", "flags"),
    [
        ("nodejs18.x", "", []),
        ("nodejs20.x", "", ["--no-experimental-require-module"]),
        ("nodejs22.x", "", ["--no-experimental-require-module", "--no-experimental-detect-module"]),
        ("nodejs22.x", "--experimental-require-module --x", ["--no-experimental-detect-module"]),
        ("nodejs24.x", "", []),
    ],
)
def test_features_that_lambda_switches_off(runtime: str, options: str, flags: list[str]) -> None:
    assert feature_flags(runtime, options) == flags


@pytest.mark.parametrize(
    ("name", "expected"),
    [("NODE_OPTIONS", True), ("NODE_PATH", True), ("UV_THREADPOOL_SIZE", True), ("SSL_CERT_FILE", True),
     ("LD_PRELOAD", True), ("AWS_LAMBDA_EXEC_WRAPPER", True), ("TZ", False), ("MY_NODE", False), ("PYTHONPATH", False)],
)  # fmt: skip
def test_variables_that_the_interpreter_reads_at_its_start(name: str, expected: bool) -> None:
    version = opened("nodejs20.x", environment={name: "x"})
    assert must_execute(version) is expected
    assert (ahead(version, LAYOUT, b"") is None) is expected
    assert launch_plan.settings(version, PLACE, [], b"")["ahead"] is not expected


def test_what_is_started_ahead_knows_nothing_of_the_function() -> None:
    versions = [opened("nodejs20.x", environment={"SECRET": name}, memory=256) for name in ("one", "other")]
    one, other = (ahead(version, LAYOUT, b"\x01") for version in versions)
    assert one is not None
    assert one == other
    assert one["seccomp"] == "01"
    assert "_HANDLER" not in one["variables"]
    assert not any(name.startswith("AWS_LAMBDA") for name in one["variables"])
    assert ahead(opened("nodejs20.x", memory=512), LAYOUT, b"\x01") != one


def test_python_and_custom_runtimes_are_not_started_ahead() -> None:
    for runtime in ("python3.12", "provided.al2023"):
        assert ahead(opened(runtime), LAYOUT, b"") is None


def test_the_sandbox_has_the_program_alone_and_the_sdk() -> None:
    family = NodeJs()
    assert family.mounts(NODE, None) == {"/var/lang/bin/node": "/opt/n/bin/node"}
    assert family.links(None) == {}
    sdk = Libraries(directory=Path("/runtimes/sdk/node_modules"), description="")
    assert family.mounts(NODE, sdk)["/var/runtime/node_modules"] == "/runtimes/sdk/node_modules"
    assert family.links(sdk) == {"/var/node_modules": "runtime/node_modules"}


@pytest.mark.parametrize(("runtime", "label"), [("nodejs22.x", "nodejs:22"), ("nodejs18.x", "nodejs:18")])
def test_the_name_in_the_log(runtime: str, label: str) -> None:
    family = family_of(runtime)
    assert family is not None
    assert family.label(runtime) == label


def test_a_missing_interpreter_is_told_with_the_command() -> None:
    assert "`ingle runtimes install nodejs22.x`" in NodeJs().missing("nodejs22.x")
