from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from ingle.frontend.links import PackageLinks

DIGEST = "ab" * 32


def parts(url):
    query = parse_qs(urlsplit(url).query)
    return query["expires"][0], query["signature"][0]


def test_link_is_valid_for_ten_minutes():
    now = [1000.0]
    links = PackageLinks(b"k" * 32, lambda: now[0])
    url = links.url("http://localhost:4566", DIGEST)
    assert url.startswith(f"http://localhost:4566/_ingle/packages/{DIGEST}?expires=1600&signature=")
    expires, signature = parts(url)
    assert links.verify(DIGEST, expires, signature)
    now[0] = 1601
    assert not links.verify(DIGEST, expires, signature)


def test_nothing_in_a_link_can_be_changed():
    links = PackageLinks(b"k" * 32, lambda: 0)
    expires, signature = parts(links.url("", DIGEST))
    assert not links.verify("cd" * 32, expires, signature)
    assert not links.verify(DIGEST, "9999999999", signature)
    assert not links.verify(DIGEST, expires, "")
    assert not links.verify(DIGEST, "x\ud800", "\udfff")
    assert not PackageLinks(b"j" * 32, lambda: 0).verify(DIGEST, expires, signature)


def test_short_keys_are_refused():
    with pytest.raises(ValueError, match="32"):
        PackageLinks(b"k", lambda: 0)
