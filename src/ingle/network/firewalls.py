"""Rule sets of others that may refuse what functions send out: looked for, never touched."""

from __future__ import annotations

import json

from ingle.network.nftables import Nftables
from ingle.network.uplink import PREFIX


def refusing_to_forward(listing: str) -> list[str]:
    """Chains that drop forwarded packets unless a rule of theirs says otherwise, from nft's JSON. Ingle's own not."""
    found = []
    for item in json.loads(listing or "{}").get("nftables", []):
        chain = item.get("chain", {})
        if chain.get("hook") == "forward" and chain.get("policy") == "drop" and not chain["table"].startswith(PREFIX):
            found.append(f"table {chain['family']} {chain['table']}, chain {chain['name']}")
    return found


def look() -> list[str]:
    """Those of the network namespace that this process is in. Takes root. Raises OSError."""
    with Nftables() as tables:
        return refusing_to_forward(tables.run("list chains", json=True))
