"""ListAuditRecords: who sees which records of the audit log, and how they are found."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access_site import ACCOUNT, OTHER, Site, allow
from served import refusal


@pytest.fixture(scope="module")
def acted(site: Site) -> tuple[str, str, str]:
    """A user who listed functions, was denied twice, and kept a secret: access key id, secret, ARN."""
    key, secret, name = site.user(allow(["lambda:ListFunctions", "ingle:PutTestEvent"]))
    client = site.client("lambda", (key, secret))
    for _ in range(3):
        client.list_functions()
    assert refusal(client.get_function, FunctionName="nobody")[1] == "AccessDeniedException"
    assert refusal(client.delete_function, FunctionName="nobody")[1] == "AccessDeniedException"
    put = site.client("ingle", (key, secret)).put_test_event
    assert refusal(put, FunctionName="nobody", EventName="e", Event='"unheard"')[1] == "ResourceNotFoundException"
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    while len(records(site.client("ingle"), PrincipalArn=arn)) < 6:
        pass
    return key, secret, arn


def records(client: Any, **params: Any) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_audit_records").paginate(**params)
    return [record for page in pages for record in page["Records"]]


def names(client: Any, **params: Any) -> list[str]:
    return [record["EventName"] for record in records(client, **params)]


def test_records_tell_who_did_what_and_how_it_ended(site: Site, acted: tuple[str, str, str]) -> None:
    key, _, arn = acted
    assert site.client("ingle").list_audit_records(MaxResults=1)["Recording"] is True
    found = records(site.client("ingle"), PrincipalArn=arn)
    assert [record["EventName"] for record in found] == [
        "PutTestEvent", "DeleteFunction20150331", "GetFunction20150331", *["ListFunctions20150331"] * 3
    ]  # fmt: skip
    denied = found[2]
    assert denied["OccurredAt"] > datetime.now(UTC) - timedelta(minutes=10)
    whole = json.loads(denied["Record"])
    assert denied == {
        "EventId": whole["eventID"], "OccurredAt": denied["OccurredAt"], "EventName": "GetFunction20150331",
        "EventSource": "lambda.amazonaws.com", "ReadOnly": True, "Region": "us-east-1", "PrincipalArn": arn,
        "AccessKeyId": key, "SourceIpAddress": "127.0.0.1", "RequestId": whole["requestID"],
        "ErrorCode": "AccessDeniedException", "ErrorMessage": whole["errorMessage"], "Record": denied["Record"],
    }  # fmt: skip
    assert "ErrorCode" not in found[-1]
    assert "unheard" not in json.dumps(found, default=str)


def test_records_are_found_by_what_they_tell(site: Site, acted: tuple[str, str, str]) -> None:
    client, own = site.client("ingle"), {"PrincipalArn": acted[2]}
    assert names(client, **own, EventName="ListFunctions") == ["ListFunctions20150331"] * 3
    assert names(client, **own, EventName="GetFunction20150331") == ["GetFunction20150331"]
    assert names(client, **own, EventName="Function") == []
    assert names(client, **own, EventSource="ingle") == ["PutTestEvent"]
    assert names(client, **own, ErrorCode="ResourceNotFoundException") == ["PutTestEvent"]
    assert len(names(client, **own, Outcome="FAILURE")) == 3
    assert names(client, **own, Outcome="SUCCESS") == ["ListFunctions20150331"] * 3
    assert names(client, **own, ReadOnly=False) == ["PutTestEvent", "DeleteFunction20150331"]
    newest = records(client, **own)[0]["OccurredAt"]
    oldest = records(client, **own)[-1]["OccurredAt"]
    assert len(names(client, **own, StartTime=oldest, EndTime=newest)) == 6
    assert names(client, **own, StartTime=newest + timedelta(seconds=1)) == []
    assert names(client, **own, EndTime=oldest - timedelta(seconds=1)) == []
    long_ago = datetime(1970, 1, 2, tzinfo=UTC)
    assert names(client, **own, StartTime=long_ago, EndTime=long_ago + timedelta(days=1)) == []


def test_pages_have_every_record_once(site: Site, acted: tuple[str, str, str]) -> None:
    client = site.client("ingle")
    paginator = client.get_paginator("list_audit_records")
    pages = list(paginator.paginate(PrincipalArn=acted[2], PaginationConfig={"PageSize": 2}))
    assert all(len(page["Records"]) <= 2 for page in pages)
    ids = [record["EventId"] for page in pages for record in page["Records"]]
    assert len(set(ids)) == len(ids) == 6


def test_only_who_may_sees_records_and_only_of_the_own_account(
    site: Site, other: Site, acted: tuple[str, str, str]
) -> None:
    key, secret, arn = acted
    assert refusal(site.client("ingle", (key, secret)).list_audit_records)[1] == "AccessDeniedException"
    assert names(site.caller("ingle", allow("ingle:ListAuditRecords")), PrincipalArn=arn)
    other.lambda_.list_functions()
    while not (found := records(other.client("ingle"))):
        pass
    assert {json.loads(record["Record"])["recipientAccountId"] for record in found} == {OTHER}
    assert names(other.client("ingle"), PrincipalArn=arn) == []
    theirs = f"arn:aws:iam::{OTHER}:root"
    assert names(site.client("ingle"), PrincipalArn=theirs) == []


def test_what_cannot_be_meant_is_refused(site: Site) -> None:
    call = site.client("ingle").list_audit_records
    assert refusal(call, NextToken="?")[1] == "InvalidParameterValueException"
    assert refusal(call, Outcome="MAYBE")[1] == "ValidationException"
