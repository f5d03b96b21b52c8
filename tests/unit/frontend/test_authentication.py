from __future__ import annotations

import pytest

from ingle.frontend.authentication import Identity, Unverified

DEFAULT = Identity(account="000000000000", region="us-east-1")


def header(credential):
    text = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=abc"
    return {b"authorization": text.encode("latin-1")}


def identify(headers, query=""):
    return Unverified().identify(headers, query)


def test_no_signature_is_the_default_caller():
    assert identify({}) == DEFAULT


def test_scope_gives_region_and_service():
    assert identify(header("AKIAX/20260101/ap-south-1/lambda/aws4_request")) == Identity(
        account="000000000000", region="ap-south-1", access_key_id="AKIAX", service="lambda"
    )


def test_key_of_twelve_digits_is_the_account():
    assert identify(header("123456789012/20260101/eu-west-1/logs/aws4_request")).account == "123456789012"
    for key in ("12345678901", "1234567890123", "12345678901x", "\xb2" * 12):
        assert identify(header(f"{key}/20260101/eu-west-1/logs/aws4_request")).account == "000000000000"


def test_presigned_query():
    query = "a=1&X-Amz-Credential=123456789012%2F20260101%2Feu-west-1%2Flambda%2Faws4_request"
    assert identify({}, query).account == "123456789012"
    assert identify({}, query).region == "eu-west-1"


@pytest.mark.parametrize(
    "authorization",
    [
        b"",
        b"Bearer x",
        b"AWS4-HMAC-SHA256",
        b"AWS4-HMAC-SHA256 Credential=",
        b"Credential=a/b/c, x",
        b"\xff,\xff",
        b",",
    ],
)
def test_malformed_headers_are_tolerated(authorization):
    assert identify({b"authorization": authorization}) == DEFAULT


@pytest.mark.parametrize("region", ["../../etc", "EU", "a" * 60, "eu west"])
def test_regions_that_are_none_are_the_default(region):
    assert identify(header(f"k/20260101/{region.replace('/', '%')}/lambda/aws4_request")).region == "us-east-1"


def test_cached_headers_stay_apart_and_the_cache_is_bounded():
    authenticator = Unverified()
    for _ in range(2):
        for number in range(5000):
            account = f"{number:012}"
            found = authenticator.identify(header(f"{account}/20260101/eu-west-1/lambda/aws4_request"), "")
            assert found.account == account
    assert len(authenticator._known) <= 4096


def test_header_order_does_not_matter():
    text = b"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=x, Credential=123456789012/1/eu-west-1/lambda/aws4_request"
    other = text.replace(b"123456789012", b"210987654321")
    authenticator = Unverified()
    assert authenticator.identify({b"authorization": text}, "").account == "123456789012"
    assert authenticator.identify({b"authorization": other}, "").account == "210987654321"
