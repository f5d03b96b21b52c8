"""Node.js in sandboxes: runtimes that were started ahead of their function have the same walls as all others."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.settings import load
from ingle.worker import families
from kernel.sandboxed import FunctionFailed, Sandboxed

pytestmark = pytest.mark.kernel

FOUND = [found.runtime for found in families.search(load()).interpreters if found.runtime.startswith("nodejs")]
#: Runs the code of its event and returns what that returns.
PROBE = """
const fs = require("fs");
const read = (path) => fs.readFileSync(path, "utf8");
const status = (name) => new RegExp(`^${name}:\\\\s*(.*)$`, "m").exec(read("/proc/self/status"))[1];
const attempt = (action, ...values) => { try { return action(...values); } catch (error) { return error.code; } };
exports.handler = async (event, context) =>
  new Function("event", "context", "fs", "read", "status", "attempt", "require", event.code)(
    event, context, fs, read, status, attempt, require);
"""
#: A variable that Node.js reads when it starts, so that no runtime that runs already can be used.
EXECUTED = {"Environment": {"Variables": {"NODE_OPTIONS": "--no-warnings"}}}
#: What is another in every environment.
CHANGING = (
    "NODE_OPTIONS", "_X_AMZN_TRACE_ID", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip
WAYS = [pytest.param({}, id="started ahead"), pytest.param(EXECUTED, id="executed")]


@pytest.fixture(scope="module")
def runtime() -> str:
    if not FOUND:
        pytest.skip("no Node.js on this machine: run `ingle runtimes install nodejs22.x`")
    return FOUND[-1]


def create(sandboxed: Sandboxed, runtime: str, source: str = PROBE, **settings: Any) -> str:
    given = {"Runtime": runtime, "Handler": "index.handler", **settings}
    return sandboxed.create({"index.js": source}, **given)


def probe(sandboxed: Sandboxed, name: str, code: str, **values: Any) -> Any:
    return sandboxed.call(name, {"code": code, **values})


@pytest.mark.parametrize("settings", WAYS)
def test_a_function_serves_in_both_ways(sandboxed: Sandboxed, runtime: str, settings: dict[str, Any]) -> None:
    name = create(sandboxed, runtime, **settings)
    code = "return [process.version, read('/proc/self/environ').includes('_INGLE_SETTINGS_FD'), process.cwd()]"
    version, ahead, directory = probe(sandboxed, name, code)
    assert version.startswith(runtime.replace("nodejs", "v").removesuffix("x"))
    assert ahead is (settings == {})
    assert sandboxed.isolation == "process" or directory == "/var/task"


@pytest.mark.parametrize("settings", WAYS)
def test_privileges_are_gone(walled: Sandboxed, runtime: str, settings: dict[str, Any]) -> None:
    name = create(walled, runtime, **settings)
    names = ["Uid", "Gid", "CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]
    found = dict(zip(names, probe(walled, name, "return event.names.map(status)", names=names), strict=True))
    assert len(set(found["Uid"].split())) == len(set(found["Gid"].split())) == 1
    assert found["Uid"].split()[0] != "0"
    assert {found[name] for name in names if name.startswith("Cap")} == {"0" * 16}
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize("settings", WAYS)
def test_nothing_of_the_machine_or_of_what_forked_it_is_there(
    walled: Sandboxed, runtime: str, settings: dict[str, Any]
) -> None:
    name = create(walled, runtime, **settings)
    code = """return [attempt(fs.readdirSync, "/run"), read("/proc/self/mountinfo"), fs.readdirSync("/var/lang"),
                      fs.readdirSync("/var/lang/bin"), attempt(fs.writeFileSync, "/var/task/x", "x"),
                      attempt(fs.writeFileSync, "/tmp/x", "x") ?? "written"]"""
    run, mounts, lang, programs, task, tmp = probe(walled, name, code)
    assert run == []
    assert not [line for line in mounts.splitlines() if line.split()[4].startswith("/run")]
    assert (lang, programs) == (["bin"], ["node"])
    assert (task, tmp) == ("EROFS", "written")


@pytest.mark.parametrize("settings", WAYS)
def test_only_init_and_the_runtime_are_left(walled: Sandboxed, runtime: str, settings: dict[str, Any]) -> None:
    name = create(walled, runtime, **settings)
    code = "return [fs.readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry)), process.pid, process.ppid]"
    processes, own, parent = probe(walled, name, code)
    assert parent == 1
    assert sorted(map(int, processes)) == [1, own]


@pytest.mark.parametrize("settings", WAYS)
def test_no_descriptor_leads_out(sandboxed: Sandboxed, runtime: str, settings: dict[str, Any]) -> None:
    name = create(sandboxed, runtime, **settings)
    code = """return Object.fromEntries(fs.readdirSync("/proc/self/fd").map(
        (fd) => [fd, attempt(fs.readlinkSync, "/proc/self/fd/" + fd)]))"""
    found = probe(sandboxed, name, code)
    assert found["0"] == "/dev/null"
    assert found["1"] == found["2"] != found["3"]
    # Node.js wakes its own threads through a pair of pipes; both ends of each are its own.
    others = [target for fd, target in found.items() if int(fd) > 3 and target.startswith("pipe:")]
    assert all(others.count(target) == 2 for target in others), found
    assert not [target for target in found.values() if target.startswith(str(sandboxed.server.data_dir))]


def test_both_ways_give_the_same_variables_and_limits(sandboxed: Sandboxed, runtime: str) -> None:
    code = "return [process.env, read('/proc/self/limits')]"
    seen = []
    for variables in ({"MINE": "1"}, {"MINE": "1", "NODE_OPTIONS": "--no-warnings"}):
        name = create(sandboxed, runtime, Environment={"Variables": variables})
        found, limits = probe(sandboxed, name, code)
        stable = {key: value for key, value in found.items() if name not in value and "LOG_STREAM" not in key}
        for changing in CHANGING:
            stable.pop(changing, None)
        if sandboxed.isolation == "process":
            # The package is at a place of its own.
            stable = {
                key: value for key, value in stable.items() if key not in ("PWD", "LAMBDA_TASK_ROOT", "NODE_PATH")
            }
        seen.append((stable, limits))
    assert seen[0] == seen[1]
    assert seen[0][0]["MINE"] == "1"
    assert "_LAMBDA_TELEMETRY_LOG_FD" not in seen[0][0]
    assert "_INGLE_SETTINGS_FD" not in seen[0][0]


@pytest.mark.parametrize("settings", WAYS)
def test_a_runtime_that_ended_is_started_again_in_the_same_sandbox(
    sandboxed: Sandboxed, runtime: str, settings: dict[str, Any]
) -> None:
    name = create(sandboxed, runtime, **settings)
    probe(sandboxed, name, "fs.writeFileSync('/tmp/kept-' + process.env.AWS_LAMBDA_FUNCTION_NAME, 'x')")
    with pytest.raises(FunctionFailed) as raised:
        probe(sandboxed, name, "process.exit(7)")
    assert raised.value.message.endswith("exit status 7")
    kept = probe(sandboxed, name, "return read('/tmp/kept-' + process.env.AWS_LAMBDA_FUNCTION_NAME)")
    assert kept == "x"


def test_memory_is_limited(limited: Sandboxed, runtime: str) -> None:
    name = create(limited, runtime, MemorySize=128)
    with pytest.raises(FunctionFailed) as raised:
        probe(limited, name, "return Buffer.alloc(512 << 20, 1).length")
    assert raised.value.kind == "Runtime.OutOfMemory"
    assert probe(limited, name, "return 1") == 1


def test_garbage_is_collected_before_memory_runs_out(limited: Sandboxed, runtime: str) -> None:
    name = create(limited, runtime, MemorySize=128, Timeout=60)
    code = (
        "let kept = []; for (let n = 0; n < 3000; n++) kept = [kept.length, new Array(20000).fill(n)]; return kept[0]"
    )
    assert probe(limited, name, code) == 2


def test_a_wrapper_script_starts_the_runtime(walled: Sandboxed, runtime: str) -> None:
    script = '#!/bin/sh\nexport FROM_WRAPPER="$1"\nexec "$@"\n'
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
    name = walled.create({"index.js": PROBE, "wrapper": script}, Runtime=runtime, Handler="index.handler",
                         Environment={"Variables": variables})  # fmt: skip
    assert probe(walled, name, "return process.env.FROM_WRAPPER") == "/var/lang/bin/node"


def test_options_of_the_function_are_honoured(walled: Sandboxed, runtime: str) -> None:
    variables = {"NODE_OPTIONS": "--require /var/task/first.js"}
    name = walled.create({"index.js": PROBE, "first.js": "globalThis.first = 'ran';"}, Runtime=runtime,
                         Handler="index.handler", Environment={"Variables": variables})  # fmt: skip
    assert probe(walled, name, "return globalThis.first") == "ran"


def test_many_environments_at_once_are_apart(sandboxed: Sandboxed, runtime: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    name = create(sandboxed, runtime)
    code = """const until = Date.now() + 700; while (Date.now() < until);
              return [process.env.AWS_LAMBDA_LOG_STREAM_NAME, require("crypto").randomBytes(8).toString("hex"),
                      Math.random()]"""
    clients = [sandboxed.server.client("lambda") for _ in range(6)]
    import json

    def call(client: Any) -> list[Any]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps({"code": code}))
        return json.loads(answer["Payload"].read())

    with ThreadPoolExecutor(6) as pool:
        streams, secrets, numbers = zip(*pool.map(call, clients), strict=True)
    assert len(set(streams)) == len(set(secrets)) == len(set(numbers)) == 6
