"""ListAuditRecords where nothing is recorded."""

from __future__ import annotations

from served import plain


def test_without_authentication_nothing_is_recorded_and_that_is_told(server):
    assert plain(server.client("ingle").list_audit_records()) == {"Recording": False, "Records": []}
