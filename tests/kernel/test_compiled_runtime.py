"""Custom runtimes that are compiled here, one of the shell, and payloads at the limits through the Runtime API."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from kernel.sandboxed import FunctionFailed, Sandboxed

pytestmark = pytest.mark.kernel

PROGRAMS = Path(__file__).parent / "programs"
LARGEST_RESPONSE = 6_291_556
#: As in AWS's tutorial of custom runtimes.
SHELL = """#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  head=$(mktemp)
  event=$(curl -sS -LD "$head" "$api/invocation/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$head" | tr -d '[:space:]' | cut -d: -f2)
  case "$event" in
    *large*) head -c 2000000 /dev/zero | tr '\\0' 1 > /tmp/large ;;
    *) printf '{"event": %s, "handler": "%s"}' "$event" "$_HANDLER" > /tmp/large ;;
  esac
  curl -sS -X POST "$api/invocation/$id/response" --data-binary @/tmp/large > /tmp/answer
done
"""


def compiled(directory: Path, compiler: str, *arguments: str) -> bytes:
    """The program that the compiler made. Skips the test where there is none, or it cannot compile."""
    found = shutil.which(compiler)
    if found is None:
        pytest.skip(f"{compiler} is not installed")
    program = directory / "bootstrap"
    made = subprocess.run([found, *arguments, "-o", str(program)], capture_output=True, text=True, check=False)
    if made.returncode and compiler == "rustc":
        pytest.skip(f"rustc cannot compile here: {made.stderr[-200:]}")
    assert made.returncode == 0, made.stderr
    return program.read_bytes()


@pytest.fixture(scope="module")
def in_c(walled: Sandboxed, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A function that a program in C serves."""
    source = str(PROGRAMS / "bootstrap.c")
    program = compiled(tmp_path_factory.mktemp("c"), "gcc", "-O1", "-Wall", "-Werror", source)
    return walled.create({"bootstrap": program}, Runtime="provided.al2023", MemorySize=512, Timeout=30)


def test_a_program_in_c_serves_over_raw_sockets(walled: Sandboxed, in_c: str) -> None:
    assert [walled.call(in_c, {"n": n}) for n in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    with pytest.raises(FunctionFailed) as raised:
        walled.call(in_c, "fail")
    assert (raised.value.kind, raised.value.message) == ("Mine.Failed", "as asked")


def test_a_program_in_rust_serves(walled: Sandboxed, tmp_path: Path) -> None:
    program = compiled(tmp_path, "rustc", "-O", str(PROGRAMS / "bootstrap.rs"))
    name = walled.create({"bootstrap": program}, Runtime="provided.al2023")
    assert [walled.call(name, n) for n in range(3)] == [[0, name], [1, name], [2, name]]


def test_a_shell_script_with_curl_serves(walled: Sandboxed) -> None:
    if shutil.which("curl", path="/usr/bin:/bin") is None:
        pytest.skip("curl is not installed where functions see it")
    name = walled.create({"bootstrap": SHELL}, Runtime="provided.al2023", Handler="any.thing", MemorySize=512)
    assert walled.call(name, {"n": 1}) == {"event": {"n": 1}, "handler": "any.thing"}
    answer = walled.client.invoke(FunctionName=name, Payload=b'"large"', LogType="Tail")
    assert answer["Payload"].read() == b"1" * 2_000_000
    # curl waits a second to be asked for a body of this size; it is asked at once.
    duration = base64.b64decode(answer["LogResult"]).decode().split("\tDuration: ")[1].split(" ms")[0]
    assert float(duration) < 1000


def invoke(walled: Sandboxed, name: str, event: bytes) -> tuple[bytes, str | None]:
    answer = walled.client.invoke(FunctionName=name, Payload=event)
    return answer["Payload"].read(), answer.get("FunctionError")


@pytest.mark.parametrize("way", ["fill", "chunked"])
def test_a_response_of_the_largest_size_arrives(walled: Sandboxed, in_c: str, way: str) -> None:
    body, error = invoke(walled, in_c, f'"{way} {LARGEST_RESPONSE}"'.encode())
    assert (len(body), error) == (LARGEST_RESPONSE, None)
    assert body == b'"' + b"x" * (LARGEST_RESPONSE - 2) + b'"'
    assert way == "chunked" or "answered 202\n" in walled.log(in_c, "answered 202\n")


def test_a_response_of_one_byte_more_fails_and_the_runtime_goes_on(walled: Sandboxed, in_c: str) -> None:
    body, error = invoke(walled, in_c, f'"fill {LARGEST_RESPONSE + 1}"'.encode())
    assert error == "Unhandled"
    assert b'"Function.ResponseSizeTooLarge"' in body
    assert b"Response payload size exceeded maximum allowed payload size (6291556 bytes)." in body
    assert "answered 413\n" in walled.log(in_c, "answered 413\n")
    assert walled.call(in_c, 1) == 1


def test_an_event_of_six_megabytes_arrives(walled: Sandboxed, in_c: str) -> None:
    event = b'"' + b"e" * (6_291_456 - 2) + b'"'
    assert invoke(walled, in_c, event)[0] == b"6291456"


def test_a_stream_that_breaks_off_is_a_function_error(walled: Sandboxed, in_c: str) -> None:
    with pytest.raises(FunctionFailed) as raised:
        walled.call(in_c, "broken")
    assert (raised.value.kind, raised.value.message) == ("Mine.Broke", "halfway")
    assert walled.call(in_c, 2) == 2


def test_nothing_is_lost_between_a_hundred_invocations(walled: Sandboxed, in_c: str) -> None:
    assert [walled.call(in_c, n) for n in range(100)] == list(range(100))
