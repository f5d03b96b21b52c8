from __future__ import annotations

import pytest

from ingle.domain.errors import AccessDenied
from ingle.frontend.origin import OriginGuard, host_name

GUARD = OriginGuard(["Lambda.Example.org"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:4566",
        "[::1]:4566",
        "192.168.3.4:80",
        "localhost",
        "LOCALHOST:4566",
        "x.localhost:1",
        "lambda.example.org:4566",
        "lambda.example.org.",
    ],
)
def test_own_names_are_served(host):
    for _ in range(2):
        GUARD.check({b"host": host.encode()}, environment=False)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "[::1",
        "1.2.3",
        "\xff",
        "sandbox.localdomain",
    ],
)
def test_foreign_names_are_refused(host):
    if host == "[::1":
        host = "[::x"
    for _ in range(2):
        with pytest.raises(AccessDenied):
            GUARD.check({b"host": host.encode("latin-1")}, environment=False)


def test_environments_have_a_name_for_their_listener():
    GUARD.check({b"host": b"sandbox.localdomain:4566"}, environment=True)
    GUARD.check({b"host": b"169.254.100.1:4566"}, environment=True)
    with pytest.raises(AccessDenied):
        GUARD.check({b"host": b"sandbox.localdomain:4566"}, environment=False)


def test_same_origin_is_served_and_others_are_not():
    host = {b"host": b"localhost:4566"}
    GUARD.check({**host, b"origin": b"http://localhost:4566"}, environment=False)
    GUARD.check({**host, b"sec-fetch-site": b"same-origin"}, environment=False)
    for origin in (b"http://localhost:3000", b"null", b"http://localhost:4566.evil.example", b""):
        with pytest.raises(AccessDenied):
            GUARD.check({**host, b"origin": origin}, environment=False)
    with pytest.raises(AccessDenied):
        GUARD.check({**host, b"sec-fetch-site": b"cross-site"}, environment=False)


def test_links_from_elsewhere_lead_to_pages_that_do_nothing_by_themselves():
    link = {b"host": b"localhost", b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate"}
    GUARD.check({**link, b"sec-fetch-dest": b"document"}, environment=False, linkable=True)
    for refused in (
        {**link, b"sec-fetch-dest": b"iframe"},
        {**link, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"script"},
        {**link, b"sec-fetch-dest": b"document", b"host": b"evil.example"},
    ):
        with pytest.raises(AccessDenied):
            GUARD.check(refused, environment=False, linkable=True)
    with pytest.raises(AccessDenied):
        GUARD.check({**link, b"sec-fetch-dest": b"document"}, environment=False)


def test_host_name():
    assert host_name("[FE80::1]:80") == "fe80::1"
    assert host_name("A.b:80") == "a.b"
