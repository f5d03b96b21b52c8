from __future__ import annotations

import gzip

import pytest

from ingle.console.site import POLICY, Site

PAGE, SCRIPT = b"<!doctype html><title>Ingle</title>", b"export {};\n"


@pytest.fixture
def site(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html.gz").write_bytes(gzip.compress(PAGE))
    (tmp_path / "assets/index-B1x_2.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "icon.svg.gz").write_bytes(gzip.compress(b"<svg/>"))
    (tmp_path / "sources.sha256").write_text("digest")
    (tmp_path.parent / "secret.js.gz").write_bytes(gzip.compress(b"secret"))
    return Site(tmp_path)


def headers(page):
    return {name.decode(): value.decode() for name, value in page.headers}


@pytest.mark.parametrize("path", ["", "us-east-1", "us-east-1/functions/a%20b/code", "us-east-1/functions/a.b/test"])
def test_every_address_has_the_page(site, path):
    page = site.page(path, gzipped=False)
    assert (page.status, page.body) == (200, PAGE)
    assert headers(page)["content-type"] == "text/html; charset=utf-8"
    assert headers(page)["cache-control"] == "no-cache"


def test_files_are_kept_for_ever_and_sent_compressed_to_who_takes_it(site):
    page = site.page("assets/index-B1x_2.js", gzipped=True)
    assert gzip.decompress(page.body) == SCRIPT
    assert headers(page)["content-encoding"] == "gzip"
    assert headers(page)["cache-control"] == "public, max-age=31536000, immutable"
    plain = site.page("assets/index-B1x_2.js", gzipped=False)
    assert plain.body == SCRIPT
    assert "content-encoding" not in headers(plain)


@pytest.mark.parametrize(
    "path", ["../secret.js", "assets/../../secret.js", "%2e%2e/secret.js", "assets/gone.js", "assets//etc/passwd"]
)
def test_no_path_leads_to_other_files(site, path):
    page = site.page(path, gzipped=False)
    assert page.status == 404 or page.body == PAGE


def test_a_file_that_is_not_there_is_no_page(site):
    assert site.page("assets/old-4711.js", gzipped=True).status == 404


@pytest.mark.parametrize("path", ["", "icon.svg", "assets/index-B1x_2.js", "assets/gone.js"])
def test_every_answer_has_the_policy(site, path):
    found = headers(site.page(path, gzipped=True))
    assert found["content-security-policy"] == POLICY
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "no-referrer"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"


def test_without_a_build_the_page_says_how_to_make_one(tmp_path):
    page = Site(tmp_path / "nothing").page("us-east-1/functions", gzipped=True)
    assert page.status == 503
    assert b"make run" in page.body
