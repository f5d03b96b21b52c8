"""Looks at the machine by a process that was started beforehand, whatever that process does."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingle.settings import Settings
from ingle.worker import examiner
from ingle.worker.examiner import Examiner

CHECK = {"subject": "disk", "level": "ok", "detail": "there", "consequence": ""}


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def looked(tmp_path: Path) -> Iterator[list[Examiner]]:
    made: list[Examiner] = []
    yield made
    for item in made:
        item.__exit__(None, None, None)


def make(made: list[Examiner], program: str, time: Time | None = None) -> Examiner:
    found = Examiner(Settings(), look=([sys.executable, "-c", program], {"ASKED": "yes"}), clock=time or Time())
    made.append(found)
    return found


def counting(path: Path) -> str:
    """A program that answers how often it was started."""
    return (
        "import json, os, pathlib\n"
        f"path = pathlib.Path({str(path)!r})\n"
        "path.write_text(path.read_text() + '.' if path.exists() else '.')\n"
        f"check = {{**{CHECK!r}, 'detail': os.environ['ASKED'] + path.read_text()}}\n"
        "print(json.dumps({'at': 5.5, 'checks': [check]}))"
    )


async def details(found: Examiner) -> list[str]:
    examined = await found.examine()
    assert examined is not None
    assert examined.at == 5.5
    return [check.detail for check in examined.checks]


async def test_a_look_serves_for_a_while_and_all_who_ask_meanwhile(tmp_path: Path, looked: list[Examiner]) -> None:
    time = Time()
    found = make(looked, counting(tmp_path / "count"), time)
    assert not (tmp_path / "count").exists()
    assert await asyncio.gather(*(details(found) for _ in range(3))) == [["yes."]] * 3
    time.seconds = examiner.FRESH - 1
    assert await details(found) == ["yes."]
    time.seconds = examiner.FRESH
    assert await details(found) == ["yes.."]


async def test_a_program_that_fails_once_is_asked_again(tmp_path: Path, looked: list[Examiner]) -> None:
    program = (
        "import pathlib, sys\n"
        f"path = pathlib.Path({str(tmp_path / 'failed')!r})\n"
        "if not path.exists():\n    path.touch()\n    sys.exit(1)\n"
        f"print({json.dumps(json.dumps({'at': 5.5, 'checks': [CHECK]}))})"
    )
    found = make(looked, program)
    assert await found.examine() is None
    assert await details(found) == ["there"]


async def test_a_look_that_takes_too_long_is_given_up_and_comes_later(
    tmp_path: Path, looked: list[Examiner], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    program = (
        "import pathlib, time\n"
        f"while not pathlib.Path({str(go)!r}).exists():\n    time.sleep(0.01)\n"
        f"print({json.dumps(json.dumps({'at': 5.5, 'checks': [CHECK]}))})"
    )
    found = make(looked, program)
    monkeypatch.setattr(examiner, "PATIENCE", 0.05)
    assert await found.examine() is None
    monkeypatch.setattr(examiner, "PATIENCE", 30.0)
    go.touch()
    assert await details(found) == ["there"]


async def test_without_the_process_there_are_no_looks(looked: list[Examiner]) -> None:
    found = make(looked, "")
    found._process.kill()
    found._process.wait()
    assert await found.examine() is None
    assert await found.examine() is None


async def test_it_ends_with_its_server(looked: list[Examiner]) -> None:
    found = make(looked, "")
    found._stdin.close()
    assert found._process.wait(10) == 0


def test_no_secret_is_handed_on() -> None:
    settings = Settings(aws_secret_access_key="hidden-one", aws_session_token="hidden-two", master_key="env:THREE")
    command, environment = examiner._look_at(settings)
    (text,) = environment.values()
    shown = base64.b64decode(text)
    assert not any(secret in shown for secret in (b"hidden-one", b"hidden-two", b"THREE"))
    assert text not in " ".join(command)


async def test_the_process_that_waits_has_no_secret_of_the_process_environment(
    monkeypatch: pytest.MonkeyPatch, looked: list[Examiner]
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("NAMED_BY_THE_OPERATOR", "hidden")
    tell = f"import json, os; check = {{**{CHECK!r}, 'detail': json.dumps(dict(os.environ))}}"
    found = make(looked, f"{tell}; print(json.dumps({{'at': 5.5, 'checks': [check]}}))")
    (environment,) = await details(found)
    assert "PATH" in environment
    assert "hidden" not in environment
    assert b"hidden" not in Path(f"/proc/{found._process.pid}/environ").read_bytes()
