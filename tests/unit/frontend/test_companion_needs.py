"""The permissions that requests for other services take."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied, ServiceError
from ingle.frontend.authorization.companion_needs import name_of, needs_of
from ingle.frontend.authorization.companion_reading import CompanionRequest
from ingle.frontend.authorization.s3_needs import MalformedXml

CALLER = Caller(account="111111111111", region="eu-west-1")
SQS, SNS, EVENTS = (f"arn:aws:{name}:eu-west-1:111111111111:" for name in ("sqs", "sns", "events"))
JSON = {b"content-type": b"application/x-amz-json-1.0"}
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
    return needs(service, headers={**JSON, b"x-amz-target": target.encode()}, body=json.dumps(params).encode())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /", [("s3:ListAllMyBuckets", "*")]),
        ("GET /bkt", [("s3:ListBucket", "bkt")]),
        ("GET /bkt/?list-type=2&prefix=x", [("s3:ListBucket", "bkt")]),
        ("HEAD /bkt", [("s3:ListBucket", "bkt")]),
        ("PUT /bkt", [("s3:CreateBucket", "bkt")]),
        ("GET /bkt?versions", [("s3:ListBucketVersions", "bkt")]),
        ("PUT /bkt?policy", [("s3:PutBucketPolicy", "bkt")]),
        ("DELETE /bkt?tagging", [("s3:PutBucketTagging", "bkt")]),
        ("GET /bkt/a%20b/c", [("s3:GetObject", "bkt/a b/c")]),
        ("GET /bkt/k?versionId=1", [("s3:GetObjectVersion", "bkt/k")]),
        ("GET /bkt/k?tagging&versionId=1", [("s3:GetObjectVersionTagging", "bkt/k")]),
        ("DELETE /bkt/k?versionId=1", [("s3:DeleteObjectVersion", "bkt/k")]),
        ("POST /bkt/k?uploads", [("s3:PutObject", "bkt/k")]),
        ("PUT /bkt/k?partNumber=1&uploadId=u", [("s3:PutObject", "bkt/k")]),
        ("GET /bkt/k?uploadId=u", [("s3:ListMultipartUploadParts", "bkt/k")]),
        ("DELETE /bkt/k?uploadId=u", [("s3:AbortMultipartUpload", "bkt/k")]),
        ("GET /bkt//k", [("s3:GetObject", "bkt//k")]),
        ("GET /bkt/../c", [("s3:GetObject", "bkt/../c")]),
    ],
)
def test_s3(line, expected):
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    found = needs("s3", method, path, query)
    assert found == [(action, name if name == "*" else f"arn:aws:s3:::{name}") for action, name in expected]


@pytest.mark.parametrize(
    ("headers", "line", "expected"),
    [
        ({"x-amz-grant-read": "uri=x"}, "PUT /bkt/k", ["PutObject", "PutObjectAcl"]),
        ({"x-amz-grant-read": "uri=x"}, "PUT /bkt", ["CreateBucket", "PutBucketAcl"]),
        ({"x-amz-acl": "public-read"}, "PUT /bkt", ["CreateBucket", "PutBucketAcl"]),
        ({"x-amz-bucket-object-lock-enabled": "true"}, "PUT /bkt",
         ["CreateBucket", "PutBucketObjectLockConfiguration"]),
        ({"x-amz-object-ownership": "x"}, "PUT /bkt", ["CreateBucket", "PutBucketOwnershipControls"]),
        ({"x-amz-bypass-governance-retention": "true"}, "DELETE /bkt/k?versionId=1",
         ["DeleteObjectVersion", "BypassGovernanceRetention"]),
        ({"x-amz-tagging": "a=b"}, "PUT /bkt/k", ["PutObject", "PutObjectTagging"]),
        ({}, "PUT /bkt/k?x-amz-acl=public-read", ["PutObject", "PutObjectAcl"]),
        ({}, "PUT /bkt/k?X-Amz-Tagging=a", ["PutObject", "PutObjectTagging"]),
    ],
)  # fmt: skip
def test_what_a_header_does_beside_is_needed_too(headers, line, expected):
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    found = needs("s3", method, path, query, {name.encode(): value.encode() for name, value in headers.items()})
    assert [action for action, _ in found] == [f"s3:{action}" for action in expected]


@pytest.mark.parametrize(
    "source", ["victim/secret?a=.txt", "victim/secret#.txt", "victim", "/VICTIM/k", "arn:aws:s3:::victim/k",
               "victim/k?versionId=1&versionId=2", "//victim/k"],
)  # fmt: skip
def test_a_copy_names_what_it_copies_in_one_way(source):
    with pytest.raises(AccessDenied):
        needs("s3", "PUT", "/bkt/k", headers={b"x-amz-copy-source": source.encode()})


def test_a_copy_reads_what_it_copies():
    found = needs("s3", "PUT", "/bkt/k", headers={b"x-amz-copy-source": b"/from/a%20b?versionId=v", b"x-amz-acl": b"x"})
    assert found == [
        ("s3:PutObject", "arn:aws:s3:::bkt/k"), ("s3:PutObjectAcl", "arn:aws:s3:::bkt/k"),
        ("s3:GetObjectVersion", "arn:aws:s3:::from/a b"),
    ]  # fmt: skip


def test_a_list_to_delete_needs_each_key():
    body = (
        b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object>'
        b"<Object><Key><![CDATA[c]]></Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>"
    )
    assert needs("s3", "POST", "/bkt", "delete", body=body) == [
        ("s3:DeleteObject", "arn:aws:s3:::bkt/a&b"), ("s3:DeleteObjectVersion", "arn:aws:s3:::bkt/c"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<Delete/>", b"<Delete><Object>", b"<!DOCTYPE a><Delete><Object/></Delete>",
        b"<Delete><Object><Key>sec<x/>ret</Key></Object></Delete>",
        b"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object></Delete>".encode("utf-16"),
        "<Delete><Object><Key>a</Key></Object></Delete>".encode("utf-16-le"),
        b'<?xml version="1.0" encoding="utf-7"?><Delete><Object><Key>a</Key></Object></Delete>',
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_deletes_nothing(body):
    with pytest.raises(ServiceError, match="not well-formed"):
        needs("s3", "POST", "/bkt/", "delete", body=body)


@pytest.mark.parametrize(
    "line",
    [
        "POST /",
        "PATCH /bkt",
        "GET /bkt?acl&policy",
        "PUT /bkt/k?acl&tagging",
        "POST /bkt/k",
        "PUT /bkt?session",
        "GET //victim/secret",
        "GET /victim%2Fsecret",
        "GET /bkt?metadataTable",
        "GET /bkt?events",
        "GET /?acl",
        "GET /moto-api/data.json",
        "GET /minio/admin/v3/info",
        "GET /BKT/k",
        "GET /b/k",
        "GET /bkt/k?versionId=1&versionId=2",
    ],
)
def test_requests_to_s3_that_nobody_knows_are_refused(line):
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    with pytest.raises(AccessDenied, match="does not know which permission"):
        needs("s3", method, path, query)


def test_queues_are_named_by_url_by_path_or_by_name():
    url = "http://localhost:4566/222222222222/q"
    theirs = f"{SQS}q".replace("111111111111", "222222222222")
    batch = {"Entries": [{"Id": "1", "MessageBody": "m"}]}
    assert called("sqs", "AmazonSQS.SendMessageBatch", QueueUrl=url, **batch) == [("sqs:SendMessage", theirs)]
    assert called("sqs", "AmazonSQS.GetQueueUrl", QueueName="q") == [("sqs:GetQueueUrl", f"{SQS}q")]
    assert called("sqs", "AmazonSQS.GetQueueUrl", QueueName="q", QueueOwnerAWSAccountId="222222222222") == [
        ("sqs:GetQueueUrl", theirs)
    ]
    assert called("sqs", "AmazonSQS.ListQueues") == [("sqs:ListQueues", "*")]
    assert called("sqs", "AmazonSQS.StartMessageMoveTask", SourceArn=f"{SQS}q", DestinationArn=f"{SQS}r") == [
        ("sqs:StartMessageMoveTask", f"{SQS}q"), ("sqs:SendMessage", f"{SQS}r"),
    ]  # fmt: skip
    body = b"Action=SendMessage&MessageBody=m&QueueUrl=http%3A%2F%2Fh%2F222222222222%2Fq&MessageAttribute.1.Name=n"
    assert needs("sqs", headers=FORM, body=body) == [("sqs:SendMessage", theirs)]
    assert needs("sqs", path="/222222222222/q", headers=FORM, body=b"Action=SendMessage") == [
        ("sqs:SendMessage", theirs)
    ]


def test_what_is_of_another_account_is_that_account_s():
    request = CompanionRequest(
        service="sqs", method="POST", path="/", query="", headers={**JSON, b"x-amz-target": b"AmazonSQS.PurgeQueue"},
        body=b'{"QueueUrl": "http://h/222222222222/q"}',
    )  # fmt: skip
    (need,) = needs_of(CALLER, request, name_of(request))
    assert need.account == "222222222222"


@pytest.mark.parametrize(
    "params",
    [
        {"SourceArn": f"{SQS}allowed", "QueueUrl": "http://h/111111111111/victim"},
        {"QueueUrl": "http://h/111111111111/allowed?/victim"},
        {"QueueUrl": "http://h/111111111111/allowed#/victim"},
        {"QueueUrl": "http://h/1/2/111111111111/allowed/victim"},
        {"QueueUrl": "allowed"},
        {"QueueUrl": ["http://h/111111111111/allowed"]},
        {"QueueUrl": "http://h/111111111111/allowed", "queueUrl": "http://h/111111111111/victim"},
        {"QueueName": "allowed", "QueueUrl": "http://h/111111111111/victim"},
    ],
)
def test_a_message_goes_to_one_queue_that_is_named_in_one_way(params):
    with pytest.raises(AccessDenied):
        called("sqs", "AmazonSQS.SendMessage", MessageBody="m", **params)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/222222222222/other", b"Action=SendMessage&QueueUrl=http%3A%2F%2Fh%2F222222222222%2Fq"),
        ("/", b"Action=SendMessage&QueueUrl=http://h/1/q&QueueUrl=http://h/1/other"),
    ],
)
def test_a_request_cannot_name_one_queue_for_us_and_another_for_the_companion(path, body):
    with pytest.raises(AccessDenied):
        needs("sqs", path=path, headers=FORM, body=body)
    with pytest.raises(AccessDenied):
        needs("sqs", headers={**JSON, b"x-amz-target": b"AmazonSQS.SendMessage"}, body=b'{"a": {"b": 1, "b": 2}}')


SEND = {**JSON, b"x-amz-target": b"AmazonSQS.SendMessage"}
LIST = b"Action=ListTopics"
PUBLISH = b"Action=Publish&TopicArn=x&Message=m"


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        ("sqs", {"headers": SEND, "query": "Action=PurgeQueue", "body": b"{}"}),
        ("sqs", {"headers": {**SEND, b"content-type": b"text/plain"}, "body": b"{}"}),
        ("sqs", {"headers": {**SEND, b"content-type": FORM[b"content-type"]}, "body": b"{}"}),
        ("sqs", {"headers": SEND, "path": "/111111111111/q", "body": b"{}"}),
        ("sqs", {"headers": {**JSON, b"x-amz-target": b"SNS.SendMessage"}, "body": b"{}"}),
        ("sqs", {"headers": {**JSON, b"x-amz-target": b"AmazonSQS.Nonesuch"}, "body": b"{}"}),
        ("sqs", {"headers": SEND, "body": b"[]"}),
        ("sns", {"headers": {b"content-type": b"multipart/form-data; boundary=x"}, "query": "Action=ListTopics"}),
        ("sns", {"headers": FORM, "query": "Action=ListTopics", "body": PUBLISH}),
        ("sns", {"method": "GET", "query": "Action=ListTopics", "body": PUBLISH}),
        ("sns", {"headers": {**FORM, b"x-amz-target": b"SNS.ListTopics"}, "body": LIST}),
        ("sns", {"method": "GET", "path": "/moto-api/data.json", "query": "Action=ListTopics"}),
        ("sns", {"headers": FORM, "path": "/x", "body": LIST}),
        ("sns", {"headers": FORM, "body": b"&".join(b"a%d=1" % number for number in range(20_000))}),
        ("apigateway", {"method": "DELETE", "path": "/restapis/x", "query": "Action=GetRestApis"}),
        ("apigateway", {"method": "DELETE", "path": "/restapis/x", "headers": {b"x-amz-target": b"A.GetRestApis"}}),
        ("dynamodb", {"method": "GET", "query": "Action=GetItem"}),
        ("sqs", {"headers": {b"smithy-protocol": b"rpc-v2-cbor", b"content-type": b"application/cbor"},
                 "path": "/service/AmazonSQS/operation/PurgeQueue"}),
        ("s3foo", {"method": "GET", "query": "Action=Any"}),
        ("queue", {"headers": SEND, "body": b"{}"}),
        ("stepfunctions", {"headers": {**JSON, b"x-amz-target": b"AWSStepFunctions.ListStateMachines"}}),
    ],
)  # fmt: skip
def test_what_could_be_read_as_another_operation_is_refused(service, request_):
    with pytest.raises(AccessDenied):
        needs(service, **request_)


def test_a_form_s_type_is_what_it_says_in_any_case():
    headers = {b"content-type": b"Application/X-WWW-Form-urlencoded"}
    assert needs("sns", headers=headers, body=LIST) == [("sns:ListTopics", "*")]


def test_topics_and_their_subscriptions():
    def form(**params: str) -> list[tuple[str, str | None]]:
        return needs("sns", headers=FORM, body="&".join(f"{key}={value}" for key, value in params.items()).encode())

    assert form(Action="Publish", TopicArn=f"{SNS}t", Message="m") == [("sns:Publish", f"{SNS}t")]
    assert form(Action="Unsubscribe", SubscriptionArn=f"{SNS}t:1-2") == [("sns:Unsubscribe", f"{SNS}t")]
    assert form(Action="CreateTopic", Name="t") == [("sns:CreateTopic", f"{SNS}t")]
    assert form(Action="ListTopics") == [("sns:ListTopics", "*")]
    assert form(Action="PublishBatch", TopicArn=f"{SNS}t") == [("sns:Publish", f"{SNS}t")]
    for params in (
        {"Action": "Publish", "TopicArn": f"{SNS}allowed", "TargetArn": f"{SNS}victim"},
        {"Action": "Unsubscribe", "TopicArn": f"{SNS}allowed", "SubscriptionArn": f"{SNS}victim:1"},
        {"Action": "Publish", "TopicArn": "victim"}, {"Action": "CreateTopic", "Name": "a/b"},
    ):  # fmt: skip
        with pytest.raises(AccessDenied):
            form(**params)


def test_buses_and_rules():
    entries = [{"Source": "s"}, {"EventBusName": "b"}, {"EventBusName": f"{EVENTS}event-bus/b"}]
    assert called("events", "AWSEvents.PutEvents", Entries=entries) == [
        ("events:PutEvents", f"{EVENTS}event-bus/default"), ("events:PutEvents", f"{EVENTS}event-bus/b"),
        ("events:PutEvents", f"{EVENTS}event-bus/b"),
    ]  # fmt: skip
    assert called("events", "AWSEvents.PutRule", Name="r") == [("events:PutRule", f"{EVENTS}rule/r")]
    assert called("events", "AWSEvents.PutTargets", Rule="r", EventBusName="b") == [
        ("events:PutTargets", f"{EVENTS}rule/b/r")
    ]
    assert called("events", "AWSEvents.CreateEventBus", Name="b") == [("events:CreateEventBus", f"{EVENTS}event-bus/b")]
    assert called("events", "AWSEvents.ListRules") == [("events:ListRules", "*")]
    for operation, params in (
        ("DeleteRule", {"Name": "victim", "Rule": "allowed"}), ("DeleteRule", {"Name": "victim", "ResourceARN": "x"}),
        ("PutEvents", {"Entries": []}), ("PutEvents", {"Entries": [1]}), ("PutRule", {"Name": "a/b"}),
    ):  # fmt: skip
        with pytest.raises(AccessDenied):
            called("events", f"AWSEvents.{operation}", **params)


def test_each_entry_has_the_condition_keys_of_its_own():
    body = json.dumps({"Entries": [{"Source": "mine"}, {"Source": "forbidden"}]}).encode()
    request = CompanionRequest(
        service="events", method="POST", path="/", query="", body=body,
        headers={b"content-type": b"application/x-amz-json-1.1", b"x-amz-target": b"AWSEvents.PutEvents"},
    )  # fmt: skip
    found = [need.values() for need in needs_of(CALLER, request, name_of(request))]
    assert found == [{"events:source": "mine"}, {"events:source": "forbidden"}]


def test_of_other_services_the_action_counts():
    assert called("dynamodb", "DynamoDB_20120810.GetItem", TableName="t") == [("dynamodb:GetItem", None)]
    assert needs("apigateway", "GET", "/restapis") == [("apigateway:GetRestApis", None)]
    assert needs("ses", headers=FORM, body=b"Action=SendEmail") == [("ses:SendEmail", None)]
    assert needs("ses", "GET", "/v2/email/account") == [("ses:GetAccount", None)]
    assert called("states", "AWSStepFunctions.ListStateMachines") == [("states:ListStateMachines", None)]
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
