"""Which name servers the machine asks."""

from __future__ import annotations

import pytest

from ingle.network.resolver import servers


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["127.0.0.1"]),
        ("search example.com\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n", ["10.0.0.1", "10.0.0.2"]),
        ("nameserver fe80::1%eth0\n", ["fe80::1"]),
        ("nameserver\n# nameserver 10.0.0.1\n", ["127.0.0.1"]),
    ],
)
def test_name_servers_are_read_from_the_configuration(text: str, wanted: list[str]) -> None:
    assert servers(text) == wanted
