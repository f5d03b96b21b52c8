"""What an environment can ask about itself, and who is told."""

from __future__ import annotations

import json

import pytest

from ingle.domain.credentials import Credentials
from ingle.domain.zones import zone_id
from ingle.runtime_api.identity import Identity
from ingle.runtime_api.session import Refused

IDENTITY = Identity(
    zone="use1-az1", metadata_token="open", credentials_token="sesame",
    credentials=lambda: Credentials(
        access_key_id="AKID", secret_access_key="hidden", session_token="also", expires=1_893_456_000_999
    ),
)  # fmt: skip


def test_where_it_runs() -> None:
    answer = IDENTITY.metadata("Bearer open")
    assert json.loads(answer.body) == {"AvailabilityZoneID": "use1-az1"}
    assert dict(answer.headers)["Cache-Control"] == "private, max-age=43200, immutable"


@pytest.mark.parametrize(
    "header", [None, "", "open", "Bearer", "Bearer shut", "Bearer open ", "bearer open", "Bearer é"]
)
def test_metadata_is_for_the_bearer_of_the_token(header: str | None) -> None:
    with pytest.raises(Refused) as refused:
        IDENTITY.metadata(header)
    assert refused.value.status == 401


def test_credentials_in_the_form_that_sdks_read() -> None:
    assert json.loads(IDENTITY.credential_document("sesame").body) == {
        "AccessKeyId": "AKID", "SecretAccessKey": "hidden", "Token": "also", "Expiration": "2030-01-01T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("header", [None, "", "open", "Bearer sesame", "Sesame"])
def test_credentials_are_for_who_has_their_token(header: str | None) -> None:
    with pytest.raises(Refused) as refused:
        IDENTITY.credential_document(header)
    assert refused.value.status == 404


def test_nothing_secret_is_in_what_is_printed() -> None:
    printed = f"{IDENTITY!r} {IDENTITY.credentials()!r}"
    assert not [secret for secret in ("open", "sesame", "hidden", "also") if secret in printed]


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("us-east-1", "use1-az1"), ("eu-central-1", "euc1-az1"), ("ap-northeast-1", "apne1-az1"),
        ("ap-southeast-2", "apse2-az1"), ("us-gov-west-1", "usgw1-az1"), ("cn-north-1", "cnn1-az1"),
        ("sa-east-1", "sae1-az1"), ("me-south-1", "mes1-az1"),
    ],
)  # fmt: skip
def test_ids_of_zones(region: str, zone: str) -> None:
    assert zone_id(region) == zone
