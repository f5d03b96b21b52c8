"""Records of the audit log as they are asked for, among lines that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingle.domain.caller import Caller
from ingle.own.audit_records import AuditRecords

CALLER = Caller()


def line(name: str, **changed: Any) -> bytes:
    record = {"userIdentity": {"arn": "somebody"}, "eventTime": "2026-01-30T10:00:00Z", "eventName": name,
              "recipientAccountId": CALLER.account, **changed}  # fmt: skip
    return json.dumps(record, separators=(",", ":")).encode()


async def names(directory: Path, **params: Any) -> list[str]:
    audit = AuditRecords(directory, recording=True)
    answer = await audit.handlers()["ListAuditRecords"](CALLER, params)
    return [record["EventName"] for record in answer["Records"]]


async def test_lines_that_are_no_records_hide_none_that_is(tmp_path: Path) -> None:
    odd = [
        line("a", eventTime=5), line("b", eventTime="yesterday"), line("c", userIdentity=None), line("d", eventName=7),
        line("e", userIdentity={}, eventTime=None), line("f")[:-3], b"", b"\xff" + line("g"), b"\0" * 300_000,
        f'"{CALLER.account}"'.encode(), f'["{CALLER.account}"]'.encode(), b"{}", line("h", recipientAccountId="other"),
    ]  # fmt: skip
    lines = [line("first"), *(part for item in odd for part in (item, line("between"))), line("last")]
    (tmp_path / "2026-01-30.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert await names(tmp_path) == ["last", *["between"] * len(odd), "first"]
    assert await names(tmp_path, PrincipalArn="somebody", EventName="last") == ["last"]
    assert await names(tmp_path, PrincipalArn="nobody") == []
