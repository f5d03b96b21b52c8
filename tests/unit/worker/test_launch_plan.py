"""How a version is started: variables, programs, limits, and what can never start."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from ingle.domain.function import LayerReference, LoggingConfig, Package
from ingle.worker import launch_plan
from ingle.worker.families import family_of
from ingle.worker.families.family import Layout
from ingle.worker.launch_plan import CannotStart, Place, check_bootstrap, command, cpu_quota, must_execute, variables
from ingle.worker.opened import OpenedVersion

from .versions import IDENTITY, opened

PLACE = Place(
    runtime_api="127.0.0.1:9001", api="127.0.0.1:9002", log_stream="2030/01/01/[$LATEST]ab", identity=IDENTITY
)
INTERPRETER = "/var/lang/bin/python3.12"
LAYOUT = Layout(interpreter=INTERPRETER)
RESERVED = {
    "_HANDLER": "app.handler",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
    "AWS_LAMBDA_FUNCTION_NAME": "mine",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/mine",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2030/01/01/[$LATEST]ab",
    "AWS_ACCESS_KEY_ID": "111122223333",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}


def test_the_reserved_variables_are_there() -> None:
    assert RESERVED.items() <= variables(opened(), PLACE).items()


def test_environments_of_one_snapshot_are_not_told_a_log_stream() -> None:
    snap_start = opened(snap_start="PublishedVersions")
    given = variables(replace(snap_start, version=replace(snap_start.version, version="1")), PLACE)
    assert given["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert not {"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"} & given.keys()
    latest = variables(opened(snap_start="PublishedVersions"), PLACE)
    assert latest["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert "AWS_LAMBDA_LOG_STREAM_NAME" in latest


@pytest.mark.parametrize("name", [*RESERVED, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_function_cannot_change_what_is_reserved(name: str) -> None:
    changed = variables(opened(environment={name: "mine", "OTHER": "x"}), PLACE)
    assert changed[name] == variables(opened(), PLACE)[name]
    assert changed["OTHER"] == "x"


@pytest.mark.parametrize("name", ["LANG", "PATH", "LD_LIBRARY_PATH", "TZ", "PYTHONPATH", "AWS_ENDPOINT_URL"])
def test_a_function_can_change_the_defaults(name: str) -> None:
    assert name in variables(opened(), PLACE)
    assert variables(opened(environment={name: "mine"}), PLACE)[name] == "mine"


def test_a_custom_runtime_is_told_nothing_of_python() -> None:
    given = variables(opened("provided.al2023"), PLACE)
    assert not {"AWS_EXECUTION_ENV", "PYTHONPATH", "LC_CTYPE"} & given.keys()
    assert given["_HANDLER"] == "app.handler"


@pytest.mark.parametrize("runtime", ["python3.12", "provided.al2023"])
def test_a_function_with_json_logs_is_told_format_and_level(runtime: str) -> None:
    names = ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL")
    logging = LoggingConfig(format="JSON", group="/aws/lambda/mine", application_level="DEBUG", system_level="WARN")
    given = variables(opened(runtime, logging=logging), PLACE)
    assert [given[name] for name in names] == ["JSON", "DEBUG"]
    assert not set(names) & variables(opened(runtime), PLACE).keys()
    own = variables(opened(runtime, logging=logging, environment={"AWS_LAMBDA_LOG_LEVEL": "ERROR"}), PLACE)
    assert [own[name] for name in names] == ["JSON", "ERROR"]


def test_without_an_api_there_is_no_endpoint() -> None:
    assert "AWS_ENDPOINT_URL" not in variables(
        opened(), Place(runtime_api="a:1", api=None, log_stream="s", identity=IDENTITY)
    )


def test_the_task_root_is_where_the_package_is() -> None:
    given = variables(
        opened(),
        Place(runtime_api="a:1", api=None, log_stream="s", identity=IDENTITY, layout=Layout(task="/somewhere")),
    )
    assert (given["LAMBDA_TASK_ROOT"], given["PWD"]) == ("/somewhere", "/somewhere")


@pytest.mark.parametrize(
    ("memory", "quota"), [(128, 1447), (1769, 20_000), (3538, 40_000), (10_240, 115_771), (1, 1_000)]
)
def test_processor_time_follows_memory(memory: int, quota: int) -> None:
    assert cpu_quota(memory) == quota


@pytest.mark.parametrize(
    ("name", "expected"),
    [("PYTHONHASHSEED", True), ("PYTHONPATH", True), ("LD_PRELOAD", True), ("MALLOC_ARENA_MAX", True), ("LANG", True),
     ("LC_ALL", True), ("GLIBC_TUNABLES", True), ("AWS_LAMBDA_EXEC_WRAPPER", True), ("MY_PYTHON", False),
     ("TZ", False), ("LDAP", False)],
)  # fmt: skip
def test_variables_read_at_exec_need_an_exec(name: str, expected: bool) -> None:
    assert must_execute(opened(environment={name: "x"})) is expected


def test_no_variables_need_no_exec() -> None:
    assert not must_execute(opened())
    assert not must_execute(opened(environment={}))


def test_a_forked_process_serves_itself() -> None:
    assert command(opened(), LAYOUT, forked=True) is None


def test_an_executed_runtime_is_the_interpreter_with_the_bootstrap() -> None:
    assert command(opened(), LAYOUT, forked=False) == [[INTERPRETER, "-S", "/var/runtime/bootstrap.py"]]


def test_a_wrapper_gets_the_runtime_as_its_arguments() -> None:
    version = opened(environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"})
    assert command(version, LAYOUT, forked=False) == [["/opt/wrap", INTERPRETER, "-S", "/var/runtime/bootstrap.py"]]


def test_a_custom_runtime_is_the_packages_bootstrap_or_a_layers() -> None:
    assert command(opened("provided.al2023"), LAYOUT, forked=False) == [["/var/task/bootstrap"], ["/opt/bootstrap"]]


def bootstrap(package: Path, content: bytes, mode: int = 0o755) -> None:
    (package / "bootstrap").write_bytes(content)
    (package / "bootstrap").chmod(mode)


def elf(machine: int) -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + bytes(44)


@pytest.mark.parametrize("content", [b"#!/bin/sh\n", elf(62), b"\x7fELF", b""])
def test_a_bootstrap_that_can_run(tmp_path: Path, content: bytes) -> None:
    bootstrap(tmp_path, content)
    check_bootstrap([tmp_path], "x86_64")


def test_a_bootstrap_of_the_other_machine(tmp_path: Path) -> None:
    bootstrap(tmp_path, elf(183))
    check_bootstrap([tmp_path], "aarch64")
    with pytest.raises(CannotStart, match="exec format error") as raised:
        check_bootstrap([tmp_path], "x86_64")
    assert raised.value.kind == "Runtime.InvalidEntrypoint"


def test_no_bootstrap(tmp_path: Path) -> None:
    with pytest.raises(CannotStart) as raised:
        check_bootstrap([tmp_path], "x86_64")
    assert raised.value.kind == "Runtime.InvalidEntrypoint"
    assert raised.value.message == "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"


def test_a_bootstrap_that_is_not_executable(tmp_path: Path) -> None:
    bootstrap(tmp_path, b"#!/bin/sh\n", 0o644)
    with pytest.raises(CannotStart, match="permission denied"):
        check_bootstrap([tmp_path], "x86_64")


def test_the_bootstrap_of_a_layer_is_used_if_the_package_has_none(tmp_path: Path) -> None:
    package, layers = tmp_path / "package", tmp_path / "layers"
    for place in (package, layers):
        place.mkdir()
    with pytest.raises(CannotStart, match="Couldn't find valid bootstrap"):
        check_bootstrap([package, layers], "x86_64")
    bootstrap(layers, b"#!/bin/sh\n", 0o644)
    with pytest.raises(CannotStart, match="fork/exec /opt/bootstrap: permission denied"):
        check_bootstrap([package, layers], "x86_64")
    bootstrap(package, b"#!/bin/sh\n")
    check_bootstrap([package, layers], "x86_64")


def layered(*digests: str, runtime: str = "python3.12") -> OpenedVersion:
    layers = tuple(LayerReference(arn=f"arn:{d}", package=Package(digest=d * 64, size=1)) for d in digests)
    return opened(runtime, layers=layers)


def test_the_message_names_the_tree_of_the_layers() -> None:
    def tree(*digests: str) -> str | None:
        message = launch_plan.settings(layered(*digests), PLACE, None, b"")
        named: str | None = message["layers"]
        return named

    assert tree() is None
    assert tree("a") == "a" * 64
    several = {tree("a", "b"), tree("b", "a"), tree("a", "b", "c")}
    assert len(several) == 3
    assert all(name is not None and len(name) == 64 for name in several)


def test_where_layers_are_found() -> None:
    given = variables(layered("a", runtime="nodejs22.x"), PLACE)
    assert "/opt/bin" in given["PATH"].split(":")
    assert "/opt/lib" in given["LD_LIBRARY_PATH"].split(":")
    assert given["NODE_PATH"] == (
        "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
    )
    assert "_LAMBDA_LAYERS_ROOT" not in given


def test_where_layers_are_found_without_a_file_system_of_its_own() -> None:
    layout = Layout(task="/d/code", layers="/d/layers")
    place = Place(runtime_api="a:1", api=None, log_stream="s", identity=IDENTITY, layout=layout)
    given = variables(layered("a"), place)
    assert given["PATH"].endswith(":/d/layers/bin")
    assert given["LD_LIBRARY_PATH"].endswith(":/d/code:/d/code/lib:/d/layers/lib")
    assert given["_LAMBDA_LAYERS_ROOT"] == "/d/layers"
    assert [layout.here(path) for path in ("/opt/x", "/var/task/x", "/optional/x", "/usr/x")] == [
        "/d/layers/x", "/d/code/x", "/optional/x", "/usr/x",
    ]  # fmt: skip


def test_a_bootstrap_that_is_a_directory_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "bootstrap").mkdir()
    with pytest.raises(CannotStart):
        check_bootstrap([tmp_path], "x86_64")


def test_a_link_is_left_to_the_environment(tmp_path: Path) -> None:
    (tmp_path / "bootstrap").symlink_to("/var/task/bin/real")
    check_bootstrap([tmp_path], "x86_64")


def test_the_settings_hold_what_the_sandbox_needs() -> None:
    message = launch_plan.settings(opened(), PLACE, None, b"\x01\xff")
    assert message["package"] == "ab" * 32
    assert (message["directory"], message["seccomp"]) == ("/var/task", "01ff")
    assert (message["command"], message["log_fd"]) == (None, True)
    assert message["limits"]["RLIMIT_NOFILE"] == (1024, 1024)
    assert launch_plan.settings(opened("provided.al2"), PLACE, [], b"")["log_fd"] is False


@pytest.mark.parametrize(
    ("runtime", "label"),
    [("python3.12", "python:3.12"), ("provided.al2023", "provided:al2023"), ("python3.9", "python:3.9")],
)
def test_the_name_of_a_runtime_in_the_log(runtime: str, label: str) -> None:
    family = family_of(runtime)
    assert family is not None
    assert family.label(runtime) == label
