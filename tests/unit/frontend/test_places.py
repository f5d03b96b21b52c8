"""Which service a request is for, by its signature and its host."""

from __future__ import annotations

import pytest

from ingle.frontend.forwarding.places import Place, Places

PLACES = Places(["lambda", "kms", "iam"], ["ingle.example"])


@pytest.mark.parametrize(
    ("signed_for", "host", "expected"),
    [
        ("lambda", "localhost", None),
        ("lambda", "s3.localhost", None),
        (None, "localhost", None),
        (None, "127.0.0.1", None),
        (None, "kms.localhost", None),
        ("sqs", "127.0.0.1", Place("sqs")),
        ("dynamodb", "ingle.example", Place("dynamodb")),
        ("s3", "169.254.100.1", Place("s3")),
        ("s3", "bucket.localhost", Place("s3", "bucket")),
        ("s3", "a.b.ingle.example", Place("s3", "a.b")),
        ("s3", "bucket.s3.localhost", Place("s3", "bucket")),
        ("s3", "bucket.s3.eu-west-1.localhost", Place("s3", "bucket")),
        ("s3", "s3.eu-west-1.localhost", Place("s3")),
        ("s3", "x.localhost", Place("s3")),
        (None, "s3.ingle.example", Place("s3")),
        (None, "a.b.s3.ingle.example", Place("s3", "a.b")),
        (None, "sqs.us-east-1.localhost", Place("sqs")),
        (None, "a.sqs.localhost", None),
        ("../../etc", "localhost", None),
        ("S3", "localhost", None),
        ("", "localhost", None),
    ],
)
def test_a_place(signed_for, host, expected):
    assert PLACES.find(signed_for, host) == expected
