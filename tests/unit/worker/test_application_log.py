"""Lines that functions write as JSON objects, and the application log level."""

from __future__ import annotations

import json

import pytest

from ingle.worker.application_log import filtered

STAMP = "2024-01-02T03:04:05.678Z"


def line(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


@pytest.mark.parametrize("text", [b"{not JSON}\n", b"[1]\n", b"{}x\n", b'"level"\n', b"{\xff}\n"])
@pytest.mark.parametrize("threshold", ["TRACE", "FATAL"])
def test_what_is_no_object_is_not_filtered(text: bytes, threshold: str) -> None:
    assert filtered(text, threshold) == text


@pytest.mark.parametrize(
    ("level", "threshold", "kept"),
    [("DEBUG", "INFO", False), ("info", "INFO", True), ("Warn", "INFO", True), ("WARN", "ERROR", False),
     ("FATAL", "FATAL", True), ("TRACE", "TRACE", True), ("TRACE", "DEBUG", False)],
)  # fmt: skip
def test_lines_below_the_level_go(level: str, threshold: str, kept: bool) -> None:
    text = line(level=level, timestamp=STAMP, message="m")
    assert filtered(text, threshold) == (text if kept else None)


@pytest.mark.parametrize(
    "members",
    [{}, {"level": "LOUD", "timestamp": STAMP}, {"level": 3, "timestamp": STAMP}, {"level": "DEBUG"},
     {"level": "DEBUG", "timestamp": "yesterday"}, {"level": "DEBUG", "timestamp": 1704164645},
     {"level": "DEBUG", "timestamp": "2024-13-02T03:04:05Z"}],
)  # fmt: skip
def test_lines_without_a_level_or_a_time_count_as_info(members: dict[str, object]) -> None:
    text = line(**members, message="m")
    assert filtered(text, "WARN") is None
    kept = filtered(text, "INFO")
    assert kept is not None
    document = json.loads(kept)
    assert document["level"] == "INFO"
    assert document["message"] == "m"
    assert document["timestamp"].endswith("Z")
    assert kept.endswith(b"\n")


@pytest.mark.parametrize(
    "stamp", [STAMP, "2024-01-02T03:04:05+01:00", "2024-12-31T23:59:60.5z", "2024-01-02T03:04:05Z"]
)
def test_times_are_those_of_rfc_3339(stamp: str) -> None:
    text = line(level="DEBUG", timestamp=stamp)
    assert filtered(text, "DEBUG") == text


def test_what_is_nested_too_deeply_to_be_written_again_stays_as_it_is() -> None:
    text = b'{"m": ' + b"[" * 500 + b"]" * 500 + b"}\n"
    assert filtered(text, "INFO") == text
    assert filtered(text, "WARN") is None
