"""Records of the audit log, whatever the end of its file is like."""

from __future__ import annotations

from pathlib import Path

from ingle.domain.clock import SystemClock
from ingle.storage.audit import AuditLog, read_audit


async def written(directory: Path, *names: str) -> None:
    async with AuditLog(directory, SystemClock(), lambda count, reason: None) as audit:
        for name in names:
            audit.append({"eventName": name, "eventTime": "2999-01-01T00:00:00Z"})


async def test_a_torn_line_swallows_no_record(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    await written(directory, "first", "second")
    (file,) = directory.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    await written(directory, "third")
    await written(directory, "fourth")
    assert [record["eventName"] for record in read_audit(directory, 0.0)] == ["first", "third", "fourth"]
