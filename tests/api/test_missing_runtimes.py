"""Functions whose runtime this machine does not have: what they say, and that they run once it is there."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from ingle.settings import load
from ingle.worker import families
from served import Server

FOUND = {item.runtime: item for item in families.search(load()).interpreters if item.runtime.startswith("nodejs")}
DEADLINE_SECONDS = 20


def missing_runtime() -> str:
    for runtime in ("nodejs24.x", "nodejs22.x", "nodejs20.x"):
        if runtime not in FOUND:
            return runtime
    pytest.skip("every Node.js that can be created is on this machine")


def create_without_waiting(client, zip_of, runtime):
    """A new function, and its configuration once it is no longer Pending."""
    name = f"missing-{time.time_ns()}"
    client.create_function(
        FunctionName=name, Runtime=runtime, Handler="index.handler", Role="arn:aws:iam::000000000000:role/r",
        Timeout=10, Code={"ZipFile": zip_of({"index.js": "exports.handler = async () => 'runs';"})},
    )  # fmt: skip
    return name, settled(client, name)


def settled(client, name):
    until = time.monotonic() + DEADLINE_SECONDS
    while True:
        found = client.get_function_configuration(FunctionName=name)
        if "Pending" not in found["State"] and found.get("LastUpdateStatus") != "InProgress":
            return found
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_runtime_without_an_interpreter_fails_and_says_what_to_install(lambda_client, zip_of):
    runtime = missing_runtime()
    name, found = create_without_waiting(lambda_client, zip_of, runtime)
    assert (found["State"], found["StateReasonCode"]) == ("Failed", "InvalidRuntime")
    assert f"`ingle runtimes install {runtime}`" in found["StateReason"]
    lambda_client.delete_function(FunctionName=name)


def test_a_runtime_that_nobody_runs_fails_too(lambda_client, zip_of):
    name, found = create_without_waiting(lambda_client, zip_of, "dotnet10")
    assert (found["State"], found["StateReason"]) == ("Failed", "Ingle does not run the runtime dotnet10 yet.")
    lambda_client.delete_function(FunctionName=name)


@pytest.mark.skipif(not FOUND, reason="no Node.js here: run `ingle runtimes install nodejs22.x`")
def test_a_fetched_interpreter_is_found_without_a_restart(zip_of):
    """An interpreter of this machine stands for the one that would be fetched."""
    runtime = missing_runtime()
    directory = Path(tempfile.mkdtemp(prefix="ingle-nodejs-"))
    directory.chmod(0o755)
    server = Server(directory / "data", INGLE_RUNTIMES_DIR=str(directory / "runtimes")).start()
    try:
        client = server.client("lambda")
        name, found = create_without_waiting(client, zip_of, runtime)
        assert found["State"] == "Failed"
        lang = directory / "runtimes" / runtime / "lang"
        (lang / "bin").mkdir(parents=True)
        os.symlink(next(iter(FOUND.values())).executable, lang / "bin/node")
        version = runtime.removeprefix("nodejs").replace(".x", ".0.0")
        (lang / ".ingle.json").write_text(json.dumps({"version": version}))
        client.update_function_configuration(FunctionName=name, Description="again")
        found = settled(client, name)
        assert found["State"] == "Active", found.get("StateReason")
        assert json.load(client.invoke(FunctionName=name)["Payload"]) == "runs"
    finally:
        assert server.stop() == 0
        shutil.rmtree(directory)
