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


def test_secrets_are_not_shown():
    shown = repr(Credentials(access_key_id="id", secret_access_key="the-secret", session_token="the-token"))
    assert "the-" not in shown
