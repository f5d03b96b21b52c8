"""Rule sets of others that drop what is forwarded."""

from __future__ import annotations

import json
from typing import Any

from ingle.network.firewalls import refusing_to_forward


def chain(table: str, name: str, **more: Any) -> dict[str, Any]:
    return {"chain": {"family": "ip", "table": table, "name": name, "handle": 1, **more}}


def test_chains_that_drop_by_default_are_named() -> None:
    listing = {"nftables": [
        {"metainfo": {"json_schema_version": 1}},
        chain("filter", "FORWARD", type="filter", hook="forward", prio=0, policy="drop"),
        chain("filter", "INPUT", type="filter", hook="input", prio=0, policy="drop"),
        chain("filter", "DOCKER-USER"),
        chain("nat", "forward", type="filter", hook="forward", prio=0, policy="accept"),
        chain("ingle-0badcafe", "forward", type="filter", hook="forward", prio=0, policy="drop"),
    ]}  # fmt: skip
    assert refusing_to_forward(json.dumps(listing)) == ["table ip filter, chain FORWARD"]
    assert refusing_to_forward("") == []
