"""The permissions that requests for other services take."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied, ServiceError
from ingle.frontend.authorization.companion_needs import CompanionRequest, name_of, needs_of
from ingle.frontend.authorization.s3_needs import MalformedXml

CALLER = Caller(account="111111111111", region="eu-west-1")
SQS, SNS, EVENTS = (f"arn:aws:{name}:eu-west-1:111111111111:" for name in ("sqs", "sns", "events"))
FORM = {b"content-type": b"application/x-www-form-urlencoded; charset=utf-8"}


def needs(
    service: str, method: str = "POST", path: str = "/", query: str = "", headers: Mapping[bytes, bytes] | None = None,
    body: bytes = b"",
) -> list[tuple[str, str | None]]:  # fmt: skip
    request = CompanionRequest(
        service=service, method=method, path=path, query=query, headers=headers or {}, body=body
    )  # fmt: skip
    return [(need.action, need.resource) for need in needs_of(CALLER, request, name_of(request))]


def called(service: str, target: str, **params: object) -> list[tuple[str, str | None]]:
    return needs(service, headers={b"x-amz-target": target.encode()}, body=json.dumps(params).encode())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /", [("s3:ListAllMyBuckets", "*")]),
        ("GET /b", [("s3:ListBucket", "b")]),
        ("GET /b/?list-type=2&prefix=x", [("s3:ListBucket", "b")]),
        ("HEAD /b", [("s3:ListBucket", "b")]),
        ("PUT /b", [("s3:CreateBucket", "b")]),
        ("GET /b?versions", [("s3:ListBucketVersions", "b")]),
        ("PUT /b?policy", [("s3:PutBucketPolicy", "b")]),
        ("DELETE /b?tagging", [("s3:PutBucketTagging", "b")]),
        ("GET /b/a%20b/c", [("s3:GetObject", "b/a b/c")]),
        ("GET /b/k?versionId=1", [("s3:GetObjectVersion", "b/k")]),
        ("GET /b/k?tagging&versionId=1", [("s3:GetObjectVersionTagging", "b/k")]),
        ("DELETE /b/k?versionId=1", [("s3:DeleteObjectVersion", "b/k")]),
        ("POST /b/k?uploads", [("s3:PutObject", "b/k")]),
        ("PUT /b/k?partNumber=1&uploadId=u", [("s3:PutObject", "b/k")]),
        ("GET /b/k?uploadId=u", [("s3:ListMultipartUploadParts", "b/k")]),
        ("DELETE /b/k?uploadId=u", [("s3:AbortMultipartUpload", "b/k")]),
        ("GET /b//k", [("s3:GetObject", "b//k")]),
        ("GET /b/../c", [("s3:GetObject", "b/../c")]),
    ],
)
def test_s3(line, expected):
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    found = needs("s3", method, path, query)
    assert found == [(action, name if name == "*" else f"arn:aws:s3:::{name}") for action, name in expected]


def test_a_copy_reads_what_it_copies():
    found = needs("s3", "PUT", "/b/k", headers={b"x-amz-copy-source": b"/from/a%20b?versionId=v", b"x-amz-acl": b"x"})
    assert found == [
        ("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:PutObjectAcl", "arn:aws:s3:::b/k"),
        ("s3:GetObjectVersion", "arn:aws:s3:::from/a b"),
    ]  # fmt: skip


def test_a_list_to_delete_needs_each_key():
    body = (
        b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object>'
        b"<Object><Key><![CDATA[c]]></Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>"
    )
    assert needs("s3", "POST", "/b", "delete", body=body) == [
        ("s3:DeleteObject", "arn:aws:s3:::b/a&b"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/c"),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"<Delete/>", b"<Delete><Object>", b"<!DOCTYPE a><Delete><Object/></Delete>"])
def test_a_list_that_cannot_be_read_deletes_nothing(body):
    with pytest.raises(ServiceError, match="not well-formed"):
        needs("s3", "POST", "/b/", "delete", body=body)


@pytest.mark.parametrize(
    "line", ["POST /", "PATCH /b", "GET /b?acl&policy", "PUT /b/k?acl&tagging", "POST /b/k", "PUT /b?session"]
)
def test_requests_to_s3_that_nobody_knows_are_refused(line):
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    with pytest.raises(AccessDenied, match="does not know which permission"):
        needs("s3", method, path, query)


def test_queues_are_named_by_url_by_path_or_by_name():
    url = "http://localhost:4566/222222222222/q"
    theirs = f"{SQS}q".replace("111111111111", "222222222222")
    assert called("sqs", "AmazonSQS.SendMessageBatch", QueueUrl=url) == [("sqs:SendMessage", theirs)]
    assert called("sqs", "AmazonSQS.GetQueueUrl", QueueName="q") == [("sqs:GetQueueUrl", f"{SQS}q")]
    assert called("sqs", "AmazonSQS.GetQueueUrl", QueueName="q", QueueOwnerAWSAccountId="222222222222") == [
        ("sqs:GetQueueUrl", theirs)
    ]
    assert called("sqs", "AmazonSQS.ListQueues") == [("sqs:ListQueues", "*")]
    body = b"Action=SendMessage&MessageBody=m&QueueUrl=http%3A%2F%2Fh%2F222222222222%2Fq"
    assert needs("sqs", headers=FORM, body=body) == [("sqs:SendMessage", theirs)]
    assert needs("sqs", path="/222222222222/q", headers=FORM, body=b"Action=SendMessage") == [
        ("sqs:SendMessage", theirs)
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/222222222222/other", b"Action=SendMessage&QueueUrl=http%3A%2F%2Fh%2F222222222222%2Fq"),
        ("/", b"Action=SendMessage&QueueUrl=http://h/1/q&QueueUrl=http://h/1/other"),
    ],
)
def test_a_request_cannot_name_one_queue_for_us_and_another_for_the_companion(path, body):
    with pytest.raises(AccessDenied, match=r"two queues|twice"):
        needs("sqs", path=path, headers=FORM, body=body)
    with pytest.raises(AccessDenied, match="twice"):
        needs("sqs", headers={b"x-amz-target": b"AmazonSQS.SendMessage"}, body=b'{"QueueUrl": "a", "QueueUrl": "b"}')


def test_topics_and_their_subscriptions():
    def form(**params: str) -> list[tuple[str, str | None]]:
        return needs("sns", headers=FORM, body="&".join(f"{key}={value}" for key, value in params.items()).encode())

    assert form(Action="Publish", TopicArn=f"{SNS}t") == [("sns:Publish", f"{SNS}t")]
    assert form(Action="Unsubscribe", SubscriptionArn=f"{SNS}t:1-2") == [("sns:Unsubscribe", f"{SNS}t")]
    assert form(Action="CreateTopic", Name="t") == [("sns:CreateTopic", f"{SNS}t")]
    assert form(Action="ListTopics") == [("sns:ListTopics", "*")]
    assert form(Action="PublishBatch", TopicArn=f"{SNS}t") == [("sns:Publish", f"{SNS}t")]


def test_buses_and_rules():
    entries = [{"Source": "s"}, {"EventBusName": "b"}, {"EventBusName": f"{EVENTS}event-bus/b"}]
    assert called("events", "AWSEvents.PutEvents", Entries=entries) == [
        ("events:PutEvents", f"{EVENTS}event-bus/default"), ("events:PutEvents", f"{EVENTS}event-bus/b"),
    ]  # fmt: skip
    assert called("events", "AWSEvents.PutRule", Name="r") == [("events:PutRule", f"{EVENTS}rule/r")]
    assert called("events", "AWSEvents.PutTargets", Rule="r", EventBusName="b") == [
        ("events:PutTargets", f"{EVENTS}rule/b/r")
    ]
    assert called("events", "AWSEvents.CreateEventBus", Name="b") == [("events:CreateEventBus", f"{EVENTS}event-bus/b")]
    assert called("events", "AWSEvents.ListRules") == [("events:ListRules", "*")]


def test_of_other_services_the_action_counts():
    assert called("dynamodb", "DynamoDB_20120810.GetItem", TableName="t") == [("dynamodb:GetItem", None)]
    assert needs("apigateway", "GET", "/restapis") == [("apigateway:GetRestApis", None)]
    assert needs("email", headers=FORM, body=b"Action=SendEmail") == [("ses:SendEmail", None)]
    with pytest.raises(AccessDenied, match="does not know"):
        needs("nonesuch", "GET", "/what")


@given(
    st.sampled_from(["s3", "sqs", "sns", "events", "dynamodb"]), st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    st.text(max_size=20), st.text(max_size=20), st.binary(max_size=60), st.sampled_from(["", "AmazonSQS.X", "form"]),
)  # fmt: skip
def test_whatever_is_asked_there_is_a_need_or_a_refusal(service, method, path, query, body, kind):
    headers = FORM if kind == "form" else {b"x-amz-target": kind.encode()} if kind else {}
    try:
        found = needs(service, method, "/" + path, query, headers, body)
    except (AccessDenied, MalformedXml):
        return
    assert found
