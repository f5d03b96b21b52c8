"""Reading the audit log backwards, whatever its lines are like, and in pieces."""

from __future__ import annotations

import random
from pathlib import Path

from ingle.storage.audit_reading import Budget, Place, backwards


def write(directory: Path, day: str, lines: list[bytes]) -> None:
    (directory / f"{day}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def read(directory: Path, **more: str) -> list[bytes]:
    return [line.text.rstrip(b"\n") for line in backwards(directory, Budget(1 << 30), **more)]


def test_lines_of_all_days_come_the_last_first(tmp_path: Path) -> None:
    generator = random.Random(7)
    days = ["2026-01-30", "2026-01-31", "2026-02-01"]
    lines = {day: [b"%d " % number + b"x" * generator.choice([0, 9, 700, 65_530, 200_000]) for number in range(40)]
             for day in days}  # fmt: skip
    for day in days:
        write(tmp_path, day, lines[day])
    expected = [line for day in reversed(days) for line in reversed(lines[day])]
    assert read(tmp_path) == expected
    assert read(tmp_path, newest_day="2026-01-31", oldest_day="2026-01-31") == lines["2026-01-31"][::-1]
    assert read(tmp_path / "none") == []


def test_pieces_have_every_line_once_also_while_lines_are_added(tmp_path: Path) -> None:
    lines = [b"%d " % number + b"x" * (number * 37 % 5000) for number in range(500)]
    write(tmp_path, "2026-01-30", lines[:200])
    write(tmp_path, "2026-01-31", lines[200:])
    found: list[bytes] = []
    place: Place | None = None
    pieces = 0
    while True:
        budget = Budget(20_000)
        piece = list(backwards(tmp_path, budget, place))
        found += [line.text.rstrip(b"\n") for line in piece]
        pieces += 1
        if not budget.spent:
            break
        place = piece[-1].place
        with open(tmp_path / "2026-01-31.jsonl", "ab") as file:
            file.write(b"later\n")
    assert found == lines[::-1]
    assert pieces > 3


def test_a_line_that_is_longer_than_the_budget_is_read_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-30", [b"first", b"y" * 300_000, b"last"])
    budget = Budget(1000)
    (last, *_) = piece = list(backwards(tmp_path, budget))
    assert (last.text, budget.spent) == (b"last\n", True)
    assert len(piece) == 1
    long, *_ = backwards(tmp_path, Budget(1000), last.place)
    assert len(long.text) == 300_001
    assert [line.text for line in backwards(tmp_path, Budget(1000), long.place)] == [b"first\n"]


def test_a_torn_line_comes_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "2026-01-30.jsonl").write_bytes(b'{"a": 1}\n{"b": ')
    assert read(tmp_path) == [b'{"b": ', b'{"a": 1}']
