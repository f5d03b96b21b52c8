"""The words for a runtime that ended, and the guess about the SDK."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ingle.worker.failures import Failure, describe_exit
from ingle.worker.families.python_sdk_use import may_use_sdk


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "Runtime exited without providing a reason"),
        (1 << 8, "Runtime exited with error: exit status 1"),
        (127 << 8, "Runtime exited with error: exit status 127"),
        (255 << 8, "Runtime exited with error: exit status 255"),
        (signal.SIGKILL, "Runtime exited with error: signal: killed"),
        (signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
        (signal.SIGSEGV | 0x80, "Runtime exited with error: signal: segmentation fault"),
        (signal.SIGABRT, "Runtime exited with error: signal: aborted"),
        (signal.SIGTERM, "Runtime exited with error: signal: terminated"),
        (signal.SIGBUS, "Runtime exited with error: signal: bus error"),
    ],
)
def test_an_exit_in_words(status: int, text: str) -> None:
    failure = describe_exit(status, False)
    assert (failure.kind, failure.message, failure.status) == ("Runtime.ExitError", text, "error")


def test_a_kill_for_want_of_memory() -> None:
    failure = describe_exit(signal.SIGKILL, True)
    assert failure.kind == "Runtime.OutOfMemory"
    assert failure.message == "Runtime exited with error: signal: killed"


def test_the_body_names_the_request() -> None:
    body = Failure(kind="Sandbox.Timedout", message='Task "x"', status="timeout").body("id")
    assert body == b'{"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: id Error: Task \\"x\\""}'


@pytest.mark.parametrize(
    ("files", "expected"),
    [({"app.py": "import json"}, False), ({"app.py": "import boto3"}, True), ({"app.txt": "boto3"}, False),
     ({"deep/er/lib.py": "from botocore import x"}, True), ({"app.pyc": "\x00boto3"}, True), ({}, False)],
)  # fmt: skip
def test_a_package_that_names_the_sdk(tmp_path: Path, files: dict[str, str], expected: bool) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert may_use_sdk(tmp_path) is expected


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, package = tmp_path / "outside.py", tmp_path / "package"
    package.mkdir()
    outside.write_text("import boto3")
    (package / "app.py").symlink_to(outside)
    (package / "absent.py").symlink_to(tmp_path / "absent")
    assert not may_use_sdk(package)


def test_a_large_package_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "large.py").open("wb") as file:
        file.truncate(33 << 20)
    assert may_use_sdk(tmp_path)
