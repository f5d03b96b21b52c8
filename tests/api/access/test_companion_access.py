"""What users and functions may do with services that Ingle hands on, with authentication on."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config

from access_site import CALLER, Site, allow, deny
from served import Server, refusal

ARN = "arn:aws:s3:::"


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site beside moto."""
    running = Server(
        tmp_path_factory.mktemp("near") / "data", INGLE_WITH_AWS="true", INGLE_AUTH="iam"
    ).start()  # fmt: skip
    yield Site(running)
    assert running.stop() == 0


@pytest.fixture
def bucket(near: Site) -> str:
    name = f"bucket-{time.time_ns()}"
    near.client("s3").create_bucket(Bucket=name)
    near.client("s3").put_object(Bucket=name, Key="a/b", Body=b"content")
    return name


def test_objects_are_allowed_one_by_one(near: Site, bucket: str) -> None:
    s3 = near.caller("s3", allow("s3:GetObject", f"{ARN}{bucket}/a/*"), allow("s3:PutObject", f"{ARN}{bucket}/own/*"))
    assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"content"
    s3.put_object(Bucket=bucket, Key="own/x", Body=b"mine")
    for call, params in (
        (s3.get_object, {"Key": "own/x"}), (s3.put_object, {"Key": "a/b", "Body": b"x"}),
        (s3.delete_object, {"Key": "own/x"}), (s3.list_objects_v2, {}), (s3.get_bucket_acl, {}),
        (s3.get_object_tagging, {"Key": "a/b"}), (s3.delete_bucket, {}),
        (s3.delete_objects, {"Delete": {"Objects": [{"Key": "own/x"}]}}),
        (s3.put_object, {"Key": "own/y", "Body": b"x", "Tagging": "a=b"}),
        (s3.copy_object, {"Key": "own/y", "CopySource": {"Bucket": bucket, "Key": "own/x"}}),
    ):  # fmt: skip
        status, code, message = refusal(call, Bucket=bucket, **params)
        assert (status, code) == (403, "AccessDenied"), call
        assert "is not authorized to perform: s3:" in message
    assert refusal(s3.list_buckets)[:2] == (403, "AccessDenied")
    s3.copy_object(Bucket=bucket, Key="own/z", CopySource={"Bucket": bucket, "Key": "a/b"})
    assert near.client("s3").get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"content"


def test_a_list_to_delete_needs_every_one_of_its_keys(near: Site, bucket: str) -> None:
    admin = near.client("s3")
    s3 = near.caller("s3", allow("s3:DeleteObject", f"{ARN}{bucket}/own/*"))
    for key in ("own/1", "own/2"):
        admin.put_object(Bucket=bucket, Key=key)
    both = {"Objects": [{"Key": "own/1"}, {"Key": "a/b"}]}
    assert refusal(s3.delete_objects, Bucket=bucket, Delete=both)[1] == "AccessDenied"
    found = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "own/1"}, {"Key": "own/2"}]})
    assert [item["Key"] for item in found["Deleted"]] == ["own/1", "own/2"]


def test_conditions_see_what_a_request_says(near: Site, bucket: str) -> None:
    only = {"StringLike": {"s3:prefix": "a/*"}}
    s3 = near.caller("s3", allow("s3:ListBucket", f"{ARN}{bucket}", Condition=only))
    assert s3.list_objects_v2(Bucket=bucket, Prefix="a/")["KeyCount"] == 1
    assert refusal(s3.list_objects_v2, Bucket=bucket, Prefix="b/")[1] == "AccessDenied"
    assert refusal(s3.list_objects_v2, Bucket=bucket)[1] == "AccessDenied"


def test_queues_topics_and_buses_are_told_apart(near: Site) -> None:
    sqs, sns, events = (near.client(service) for service in ("sqs", "sns", "events"))
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("mine", "other")]
    topics = [sns.create_topic(Name=name)["TopicArn"] for name in ("mine", "other")]
    events.create_event_bus(Name="mine")
    user = near.user(
        allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:*:mine"), allow("sns:Publish", topics[0]),
        allow("events:PutEvents", "arn:aws:events:us-east-1:*:event-bus/mine"),
    )[:2]  # fmt: skip
    sqs, sns, events = (near.client(service, user) for service in ("sqs", "sns", "events"))
    sqs.send_message(QueueUrl=urls[0], MessageBody="m")
    sqs.send_message_batch(QueueUrl=urls[0], Entries=[{"Id": "1", "MessageBody": "m"}])
    sns.publish(TopicArn=topics[0], Message="m")
    entry = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    events.put_events(Entries=[{**entry, "EventBusName": "mine"}])
    for call, params in (
        (sqs.send_message, {"QueueUrl": urls[1], "MessageBody": "m"}),
        (sqs.send_message_batch, {"QueueUrl": urls[1], "Entries": [{"Id": "1", "MessageBody": "m"}]}),
        (sqs.receive_message, {"QueueUrl": urls[0]}), (sqs.list_queues, {}), (sqs.create_queue, {"QueueName": "mine"}),
        (sns.publish, {"TopicArn": topics[1], "Message": "m"}), (sns.list_topics, {}),
        (sns.subscribe, {"TopicArn": topics[0], "Protocol": "sqs", "Endpoint": "x"}),
        (events.put_events, {"Entries": [entry]}),
        (events.put_events, {"Entries": [{**entry, "EventBusName": "mine"}, entry]}),
        (events.put_rule, {"Name": "r", "ScheduleExpression": "rate(1 minute)"}),
    ):  # fmt: skip
        status, code, _ = refusal(call, **params)
        assert status in (400, 403)
        assert code in ("AccessDeniedException", "AccessDenied"), (call, params)


def test_other_services_are_allowed_by_action(near: Site) -> None:
    client = near.client("ssm")
    client.put_parameter(Name="p", Value="v", Type="String")
    ssm = near.caller("ssm", allow("ssm:GetParameter", "arn:aws:ssm:us-east-1:*:parameter/p"))
    assert ssm.get_parameter(Name="p")["Parameter"]["Value"] == "v"
    assert refusal(ssm.put_parameter, Name="q", Value="v", Type="String")[1] == "AccessDeniedException"
    denied = near.caller("ssm", allow("ssm:*"), deny("ssm:GetParameter", "arn:aws:ssm:us-east-1:*:parameter/x"))
    assert refusal(denied.get_parameter, Name="p")[1] == "AccessDeniedException"


def test_who_does_not_belong_gets_nowhere(near: Site, bucket: str) -> None:
    key, secret, name = near.user(allow("s3:*"))
    right = near.client("s3", (key, secret))
    assert right.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"content"
    wrong = near.client("s3", (key, "x" * 40))
    assert refusal(wrong.get_object, Bucket=bucket, Key="a/b")[1] == "SignatureDoesNotMatch"
    nobody = near.client("s3", ("AKIA0000000000000000", secret))
    assert refusal(nobody.get_object, Bucket=bucket, Key="a/b")[1] == "InvalidAccessKeyId"
    near.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    assert refusal(right.get_object, Bucket=bucket, Key="a/b")[1] == "InvalidAccessKeyId"
    for url in (f"{near.server.url}/{bucket}/a/b", f"{near.server.url}/{bucket}/a/b?AWSAccessKeyId={key}&Signature=x"):
        assert fetch(urllib.request.Request(url, headers={"Host": "s3.localhost"}))[0] == 403


def test_presigned_addresses_are_verified(near: Site, bucket: str) -> None:
    key, secret, _ = near.user(allow("s3:GetObject"))
    s3 = boto3.client(
        "s3", endpoint_url=near.server.url, region_name="us-east-1", aws_access_key_id=key,
        aws_secret_access_key=secret, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )  # fmt: skip
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a/b"})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"content"
    for changed in (url.replace("/a/b?", "/a/c?"), url.replace("Expires=3600", "Expires=3601")):
        status, text = fetch(urllib.request.Request(changed))
        assert (status, b"SignatureDoesNotMatch" in text) == (403, True)


def signed_put(near: Site, path: str, claimed: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """A PUT that is signed for `claimed` as the digest of its body."""
    request = botocore.awsrequest.AWSRequest("PUT", f"{near.server.url}{path}", data=body, headers=headers)
    request.headers["X-Amz-Content-SHA256"] = claimed
    request.context["payload_signing_enabled"] = True
    signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(*near.root), "s3", "us-east-1")
    signer._should_sha256_sign_payload = lambda request: True  # type: ignore[method-assign]
    signer.payload = lambda request: claimed  # type: ignore[method-assign]
    signer.add_auth(request)
    return fetch(urllib.request.Request(request.url, body, dict(request.headers.items()), method="PUT"))


def fetch(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_body_that_is_not_the_signed_one_is_never_stored(near: Site, bucket: str) -> None:
    plain = {"Content-Type": "text/plain"}
    digest = hashlib.sha256(b"right" * 100_000).hexdigest()
    assert signed_put(near, f"/{bucket}/new", digest, b"right" * 100_000, plain)[0] == 200
    status, text = signed_put(near, f"/{bucket}/altered", digest, b"wrong" * 100_000, plain)
    assert (status, b"XAmzContentSHA256Mismatch" in text) == (400, True)
    assert refusal(near.client("s3").get_object, Bucket=bucket, Key="altered")[1] == "NoSuchKey"
    assert near.client("s3").get_object(Bucket=bucket, Key="new")["ContentLength"] == 500_000


def test_a_function_may_use_companions_as_its_role_may(near: Site, bucket: str) -> None:
    role = near.role(allow("s3:GetObject", f"{ARN}{bucket}/a/*"))
    name = near.function(role, CALLER)
    found = near.ask(name, service="s3", call="head_object", params={"Bucket": bucket, "Key": "a/b"})
    assert found["answer"]["ContentLength"] == 7
    found = near.ask(name, service="s3", call="list_objects_v2", params={"Bucket": bucket})
    assert found["error"] == "AccessDenied"
    assert f"assumed-role/{role.rpartition('/')[2]}/{name}" in found["message"]


def test_management_is_audited_and_moving_data_is_not(near: Site, bucket: str) -> None:
    user = near.user(allow("sqs:*"))
    sqs = near.client("sqs", user[:2])
    url = sqs.create_queue(QueueName="audited")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="secret body")
    refusal(near.client("s3", user[:2]).delete_bucket, Bucket=bucket)
    assert fetch(urllib.request.Request(f"{near.server.url}/2015-03-31/functions/"))[0] == 403
    last = ("lambda.amazonaws.com", "ListFunctions20150331", "MissingAuthenticationTokenException")
    deadline = time.monotonic() + 20
    names: list[tuple[str, str, str | None]] = []
    while last not in names:
        assert time.monotonic() < deadline, "an unsigned request is not recorded"
        text = "".join(path.read_text() for path in sorted((near.server.data_dir / "audit").iterdir()))
        records = [json.loads(line) for line in text.splitlines()]
        names = [(record["eventSource"], record["eventName"], record.get("errorCode")) for record in records]
    assert ("sqs.amazonaws.com", "CreateQueue", None) in names
    assert ("s3.amazonaws.com", "DELETE", "AccessDeniedException") in names
    assert not any(name == "SendMessage" for _, name, _ in names)
    assert "secret body" not in text


def signed(
    near: Site, keys: tuple[str, ...], service: str, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    """The answer to a request that no SDK would make, rightly signed. Names of headers have `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = botocore.awsrequest.AWSRequest(method, f"{near.server.url}{path}", data=body, headers=named)
    request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    request.context["payload_signing_enabled"] = True
    signer(botocore.credentials.Credentials(*keys[:2]), service, "us-east-1").add_auth(request)
    status, text = fetch(
        urllib.request.Request(request.url, body or None, dict(request.headers.items()), method=method)
    )
    assert b"signature" not in text, "the request is refused for what it is not about"
    return status, text


def test_nobody_reaches_what_moto_has_for_its_own_tests(near: Site, bucket: str) -> None:
    user = near.user(allow("sns:ListTopics"), allow("s3:*"))
    for method, path, service in (
        ("GET", "/moto-api/data.json?Action=ListTopics", "sns"), ("POST", "/moto-api/reset?Action=ListTopics", "sns"),
        ("GET", "/moto-api/data.json", "s3"), ("GET", "//moto-api/data.json", "s3"),
        ("GET", "/latest/meta-data/iam/security-credentials/", "s3"),
    ):  # fmt: skip
        assert signed(near, user, service, method, path)[0] in (403, 404), path
    for path in ("/moto-api/data.json", "//moto-api/data.json", "/moto-api/reset"):
        assert signed(near, near.root, "s3", "GET", path)[0] in (403, 404)
    assert near.client("s3").get_object(Bucket=bucket, Key="a/b")["ContentLength"] == 7


def test_what_is_authorised_is_what_runs(near: Site, bucket: str) -> None:
    sqs = near.client("sqs")
    victim, allowed = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("victim", "allowedq"))
    sqs.send_message(QueueUrl=victim, MessageBody="kept")
    arn = "arn:aws:sqs:us-east-1:000000000000:allowedq"
    user = near.user(allow("sqs:SendMessage", arn), allow("sqs:ListQueues"), allow("sns:ListTopics"))
    target = {"x_amz_target": "AmazonSQS.SendMessage", "content_type": "application/x-amz-json-1.0"}
    message = json.dumps({"QueueUrl": allowed, "MessageBody": "x&Action=PurgeQueue&y="}).encode()
    assert signed(near, user, "sqs", "POST", "/", message, **target)[0] == 200
    found = sqs.receive_message(QueueUrl=allowed)["Messages"]
    assert [item["Body"] for item in found] == ["x&Action=PurgeQueue&y="]
    for path, body, headers in (
        ("/?Action=PurgeQueue", message, target),
        ("/", json.dumps({"SourceArn": arn, "QueueUrl": victim, "MessageBody": "m"}).encode(), target),
        ("/", json.dumps({"QueueUrl": f"{allowed}?/victim", "MessageBody": "m"}).encode(), target),
        ("/", f"Action=PurgeQueue&QueueUrl={victim}".encode(),
         {**target, "content_type": "application/x-www-form-urlencoded"}),
    ):  # fmt: skip
        assert signed(near, user, "sqs", "POST", path, body, **headers)[0] in (400, 403)
    assert [item["Body"] for item in sqs.receive_message(QueueUrl=victim)["Messages"]] == ["kept"]
    listing = {**target, "x_amz_target": "AmazonSQS.ListQueues", "action": "PurgeQueue"}
    status, text = signed(near, user, "sqs", "POST", "/", b"{}", **listing)
    assert (status, b"allowedq" in text) == (200, True)


def test_a_service_has_one_name(near: Site, bucket: str) -> None:
    user = near.user(allow("*"), deny("s3:GetObject", f"{ARN}{bucket}/*"), deny("events:*"))
    for service, path in (("s3foo", f"/{bucket}/a/b?Action=Any"), ("eventbridge", "/"), ("queue", "/")):
        assert signed(near, user, service, "GET", path)[0] in (400, 403)
    assert refusal(near.client("s3", user[:2]).get_object, Bucket=bucket, Key="a/b")[1] == "AccessDenied"
    assert signed(near, user, "s3", "GET", f"//{bucket}/a/b")[0] == 403


def test_accounts_are_apart_where_resources_name_theirs(near: Site) -> None:
    topic = near.client("sns").create_topic(Name="ours")["TopicArn"]
    stranger = near.user(allow("*"))
    theirs = topic.replace("000000000000", "222222222222")
    sns = near.client("sns", stranger[:2])
    sns.publish(TopicArn=topic, Message="m")
    assert refusal(sns.publish, TopicArn=theirs, Message="m")[1] == "AccessDenied"


def test_an_empty_body_in_place_of_the_signed_one_empties_nothing(near: Site, bucket: str) -> None:
    near.client("s3").put_object(Bucket=bucket, Key="k", Body=b"real")
    digest = hashlib.sha256(b"real").hexdigest()
    assert signed_put(near, f"/{bucket}/k", digest, b"", {"Content-Type": "text/plain"})[0] == 400
    assert near.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"real"


def test_secrets_in_requests_are_in_no_record(near: Site) -> None:
    near.client("ssm").put_parameter(Name="audited-name", Value="hunter2-plaintext", Type="SecureString")
    deadline = time.monotonic() + 20
    text = ""
    while "audited-name" not in text:
        assert time.monotonic() < deadline, "no record"
        text = "".join(path.read_text() for path in sorted((near.server.data_dir / "audit").iterdir()))
    assert "hunter2" not in text
