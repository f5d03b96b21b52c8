"""Signatures compared with botocore's."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import quote

import botocore.auth
import botocore.credentials
import pytest
from botocore.awsrequest import AWSRequest

from ingle.companions.endpoint import Credentials
from ingle.companions.signing import query_string, signed_headers

NOW = 1_700_000_000.0


@pytest.mark.parametrize("token", ["", "the-token"])
@pytest.mark.parametrize(
    ("method", "name", "pairs"),
    [
        ("GET", "bucket/key", []),
        ("HEAD", "bucket", []),
        ("GET", "bucket/a b/ü+&=?#~*'(),;:@!$/../x//y", [("versionId", "a b/+=é")]),
        ("GET", "b.c-d/k", [("z", "1"), ("a", ""), ("B", "2")]),
    ],
)
def test_a_signature_is_botocores(method, name, pairs, token):
    path, query = f"/{quote(name, safe='/-_.~')}", query_string(pairs)
    credentials = Credentials(access_key_id="id", secret_access_key="secret", session_token=token)
    ours = signed_headers(
        credentials, "s3", "eu-west-1", NOW, method=method, host="localhost:5000", path=path, query=query
    )
    url = f"http://localhost:5000{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url)
    request.context["payload_signing_enabled"] = True
    oracle = botocore.auth.S3SigV4Auth(
        botocore.credentials.Credentials("id", "secret", token or None), "s3", "eu-west-1"
    )
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(NOW, UTC)):
        oracle.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize("token", ["", "the-token"])
@pytest.mark.parametrize(
    ("service", "method", "path", "body", "headers"),
    [
        ("sqs", "POST", "/", b'{"a": "\xc3\xbc"}',
         {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"}),
        ("sns", "POST", "/", b"Action=Publish&Message=a+b",
         {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}),
        ("events", "POST", "/", b"{}", {"content-type": "application/x-amz-json-1.1"}),
        ("s3", "PUT", "/bucket/a/b%20c", b"\x00" * 70_000, {"content-type": "application/json"}),
    ],
)  # fmt: skip
def test_a_signature_of_a_request_with_a_body_is_botocores(service, method, path, body, headers, token):
    credentials = Credentials(access_key_id="id", secret_access_key="secret", session_token=token)
    ours = signed_headers(
        credentials, service, "eu-west-1", NOW, method=method, host="localhost:5000", path=path, body=body,
        more=headers,
    )  # fmt: skip
    # botocore leaves the digest of the body out of the headers but for S3; a header more is signed all the same.
    digest = {"X-Amz-Content-SHA256": ours["x-amz-content-sha256"]}
    request = AWSRequest(method, f"http://localhost:5000{path}", data=body, headers={**headers, **digest})
    request.context["payload_signing_enabled"] = True
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    oracle = kind(botocore.credentials.Credentials("id", "secret", token or None), service, "eu-west-1")
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(NOW, UTC)):
        oracle.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def test_secrets_are_not_shown():
    shown = repr(Credentials(access_key_id="id", secret_access_key="the-secret", session_token="the-token"))
    assert "the-" not in shown
