"""Services that Ingle does not have itself, behind its one endpoint: of a moto that the server starts, or elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from served import Server, create_function, refusal

KEY = "a b/ü+&=?#~*'(),;:@!$/x//y"

STORE = """
import boto3, json, os
def handler(event, context):
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.put_object(Bucket=event["bucket"], Key="from/function", Body=b"of a function")
    sqs.send_message(QueueUrl=event["queue"], MessageBody="of a function")
    return {"endpoint": os.environ["AWS_ENDPOINT_URL"], "buckets": [b["Name"] for b in s3.list_buckets()["Buckets"]]}
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("aws") / "data", INGLE_WITH_AWS="true").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def bucket(aws: Server) -> str:
    name = f"bucket-{time.time_ns()}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


def test_objects_come_back_as_they_were_put_whatever_they_are_called(aws: Server, bucket: str) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"content", Metadata={"kind": "two  spaces"}, ContentType="text/x")
    found = s3.get_object(Bucket=bucket, Key=KEY)
    assert (found["Body"].read(), found["ContentType"]) == (b"content", "text/x")
    assert s3.head_object(Bucket=bucket, Key=KEY)["ContentLength"] == 7
    assert s3.get_object(Bucket=bucket, Key=KEY, Range="bytes=2-4")["Body"].read() == b"nte"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="a b/ü")["Contents"]] == [KEY]
    assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": KEY}]})["Deleted"] == [{"Key": KEY}]
    assert refusal(s3.get_object, Bucket=bucket, Key=KEY)[:2] == (404, "NoSuchKey")


def test_large_objects_pass_in_parts_and_whole(aws: Server, bucket: str) -> None:
    s3 = aws.client("s3")
    content = os.urandom(24 << 20)
    s3.upload_fileobj(io.BytesIO(content), bucket, "parts")
    s3.put_object(Bucket=bucket, Key="whole", Body=content)
    for key in ("parts", "whole"):
        assert hashlib.sha256(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).digest() == (
            hashlib.sha256(content).digest()
        )


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_addresses_work_without_a_client(aws: Server, bucket: str, version: str) -> None:
    s3 = boto3.client(
        "s3", endpoint_url=aws.url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(signature_version=version, s3={"addressing_style": "path"}),
    )  # fmt: skip
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": KEY})
    plain = {"Content-Type": "text/plain"}
    with urllib.request.urlopen(urllib.request.Request(put, b"put", plain, method="PUT")) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY})
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"put"
        # A page that somebody stored is none of this server's.
        assert answer.headers.get_all("content-security-policy") == ["sandbox"]


def test_buckets_may_be_named_by_the_host(aws: Server, bucket: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"content")
    url = aws.client("s3").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    query = url.partition("?")[2]
    port = aws.url.rpartition(":")[2]
    for host in (f"{bucket}.localhost:{port}", f"{bucket}.s3.localhost:{port}", f"{bucket}.s3.us-east-1.localhost"):
        request = urllib.request.Request(f"{aws.url}/k?{query}", headers={"Host": host})
        with urllib.request.urlopen(request) as answer:
            assert answer.read() == b"content"
    request = urllib.request.Request(f"{aws.url}/{bucket}/k", headers={"Host": "s3.localhost"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"content"


def test_every_other_service_is_there_and_accounts_and_regions_are_apart(aws: Server) -> None:
    for account in ("111111111111", "222222222222"):
        queue = aws.client("sqs", account=account).create_queue(QueueName="q")["QueueUrl"]
        assert queue == f"{aws.url}/{account}/q"
    sqs = aws.client("sqs", account="111111111111")
    sqs.send_message(QueueUrl=f"{aws.url}/111111111111/q", MessageBody="one")
    assert "Messages" not in aws.client("sqs", account="222222222222").receive_message(
        QueueUrl=f"{aws.url}/222222222222/q", WaitTimeSeconds=0
    )
    assert sqs.receive_message(QueueUrl=f"{aws.url}/111111111111/q")["Messages"][0]["Body"] == "one"
    topic = aws.client("sns", region="eu-west-1", account="111111111111").create_topic(Name="t")["TopicArn"]
    assert topic == "arn:aws:sns:eu-west-1:111111111111:t"
    table = aws.client("dynamodb", account="111111111111").create_table(
        TableName="t", AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
    )  # fmt: skip
    assert table["TableDescription"]["TableArn"] == "arn:aws:dynamodb:us-east-1:111111111111:table/t"
    assert aws.client("ssm").put_parameter(Name="p", Value="v", Type="String")["Version"] == 1


def test_a_function_reaches_them_by_the_endpoint_it_is_given(aws: Server, bucket: str) -> None:
    queue = aws.client("sqs").create_queue(QueueName="of-function")["QueueUrl"]
    name = f"f{time.time_ns()}"
    create_function(aws.client("lambda"), name, STORE, Timeout=30, MemorySize=512)
    answer = aws.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps({"bucket": bucket, "queue": queue})
    )  # fmt: skip
    content = json.loads(answer["Payload"].read())
    if "No module named 'boto3'" in str(content):
        pytest.skip("no boto3 for functions here: ingle runtimes install python3.11")
    assert bucket in content["buckets"], content
    assert aws.client("s3").get_object(Bucket=bucket, Key="from/function")["Body"].read() == b"of a function"
    assert aws.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "of a function"


def test_code_and_results_go_by_the_same_service(aws: Server, bucket: str, zip_of: Any) -> None:
    s3, client = aws.client("s3"), aws.client("lambda")
    s3.put_object(Bucket=bucket, Key="code.zip", Body=zip_of({"app.py": "def handler(e, c):\n    return 'from s3'\n"}))
    queue = aws.client("sqs").create_queue(QueueName="results")["QueueUrl"]
    name = f"f{time.time_ns()}"
    create_function(client, name, "", Code={"S3Bucket": bucket, "S3Key": "code.zip"})
    client.put_function_event_invoke_config(
        FunctionName=name,
        DestinationConfig={"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:results"}},
    )
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    message = aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
    assert json.loads(message["Body"])["responsePayload"] == "from s3"


def test_moto_sees_nothing_of_the_server_and_ends_with_it(directory: Path) -> None:
    server = Server(directory / "data", INGLE_WITH_AWS="true").start()
    child = _child(server)
    server.client("s3").list_buckets()
    status = (Path("/proc") / str(child) / "status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert b"INGLE" not in (Path("/proc") / str(child) / "environ").read_bytes()
    server.kill()
    deadline = time.monotonic() + 20
    while _lives(child):
        assert time.monotonic() < deadline, "moto outlives the server"
    server.start()
    assert server.client("s3").list_buckets()["Buckets"] == []
    assert server.stop() == 0
    assert not (directory / "data" / "companion").exists()


def test_moto_is_started_again_when_it_dies(directory: Path) -> None:
    server = Server(directory / "data", INGLE_WITH_AWS="true").start()
    server.client("s3").create_bucket(Bucket="gone")
    os.kill(_child(server), 9)
    deadline = time.monotonic() + 30
    while (found := _buckets(server)) is None:
        assert time.monotonic() < deadline, "moto does not come back"
    assert found == []
    assert server.stop() == 0


def _buckets(server: Server) -> list[Any] | None:
    """None while nothing answers."""
    s3 = server.client("s3")
    try:
        return list(s3.list_buckets()["Buckets"])
    except s3.exceptions.ClientError as error:
        return None if error.response["Error"]["Code"] == "ServiceUnavailable" else []


def _child(server: Server) -> int:
    """The process id of a server's moto."""
    found = subprocess.run(
        ["pgrep", "-f", f"ingle.bundled_aws {server.data_dir}/companion"], capture_output=True, text=True, check=True
    )
    return int(found.stdout.split()[0])


def _lives(process: int) -> bool:
    try:
        return "\nState:\tZ" not in (Path("/proc") / str(process) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- places that are configured ---------------------------------------------------------------------------------------


class Recorder(BaseHTTPRequestHandler):
    """Answers what the test wants and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str, dict[str, str], bytes]]

    def do_PUT(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("etag", '"e"')
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_PUT

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def recorder() -> Iterator[ThreadingHTTPServer]:
    handler = type("Handler", (Recorder,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.asked = handler.asked  # type: ignore[attr-defined]
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        http.shutdown()


@pytest.fixture
def forwarding(directory: Path, recorder: ThreadingHTTPServer) -> Iterator[Server]:
    url = f"http://127.0.0.1:{recorder.server_port}"
    running = Server(
        directory / "data", INGLE_AWS_ENDPOINT_S3=url, INGLE_AWS_ENDPOINT_OTHERS=f"ses={url}/base,email={url}",
        INGLE_AWS_ACCESS_KEY_ID="companions-key", INGLE_AWS_SECRET_ACCESS_KEY="companions-secret",
    ).start()  # fmt: skip
    yield running
    assert running.stop() == 0


def test_what_is_forwarded_is_signed_as_whom_the_companion_knows(forwarding: Server, recorder: Any) -> None:
    forwarding.client("s3", account="caller", secret="callers-secret", token="callers-token").put_object(
        Bucket="bucket", Key="k", Body=b"content"
    )
    (_, path, headers, body), *more = recorder.asked
    assert (path, body, more) == ("/bucket/k", b"content", [])
    assert "Credential=companions-key/" in headers["authorization"]
    assert headers["host"] == f"127.0.0.1:{recorder.server_port}"
    assert "caller" not in json.dumps(headers)
    assert headers["x-amz-checksum-crc32"]


SIGNED = "Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + "0" * 64


def put(server: Server, *headers: str, body: bytes = b"", path: str = "/b/k") -> tuple[int, bytes]:
    http = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    sent = dict(header.split(": ", 1) for header in (f"Authorization: AWS4-HMAC-SHA256 {SIGNED}", *headers))
    http.request("PUT", path, body, sent)
    answer = http.getresponse()
    found = answer.status, answer.read()
    http.close()
    return found


def test_signed_chunks_lose_their_framing_and_trailers_keep_it(forwarding: Server, recorder: Any) -> None:
    chunk = b"5;chunk-signature=" + b"a" * 64 + b"\r\nhello\r\n0;chunk-signature=" + b"b" * 64 + b"\r\n"
    common = ("Content-Encoding: aws-chunked,gzip", "X-Amz-Decoded-Content-Length: 5")
    assert put(forwarding, "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", *common,
               body=chunk + b"\r\n")[0] == 200  # fmt: skip
    trailer = b"x-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:" + b"c" * 64 + b"\r\n\r\n"
    assert put(forwarding, "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", *common,
               "X-Amz-Trailer: x-amz-checksum-crc32", body=chunk + trailer)[0] == 200  # fmt: skip
    unsigned = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    assert put(forwarding, "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", *common,
               "X-Amz-Trailer: x-amz-checksum-crc32", body=unsigned)[0] == 200  # fmt: skip
    (_, _, plain, first), (_, _, framed, second), (_, _, passed, third) = recorder.asked
    assert (first, plain["content-encoding"], plain["x-amz-content-sha256"]) == (b"hello", "gzip", "UNSIGNED-PAYLOAD")
    assert "x-amz-decoded-content-length" not in plain
    assert (second, third) == (unsigned, unsigned)
    for headers in (framed, passed):
        assert headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert headers["content-encoding"] == "aws-chunked,gzip"
        assert headers["x-amz-decoded-content-length"] == "5"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (["X-Amz-Content-Sha256: nonsense"], b"x", (400, "InvalidRequest")),
        (["X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD"], b"x", (411, "MissingContentLength")),
        (["X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "X-Amz-Decoded-Content-Length: 1"],
         b"zz\r\nx\r\n", (400, "IncompleteBody")),
        (["X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "X-Amz-Decoded-Content-Length: 9"],
         b"1;chunk-signature=" + b"a" * 64 + b"\r\nx\r\n0;chunk-signature=" + b"a" * 64 + b"\r\n\r\n",
         (400, "IncompleteBody")),
        (["X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "X-Amz-Decoded-Content-Length: -1"], b"",
         (400, "InvalidRequest")),
        (["X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length: 1",
          "X-Amz-Trailer: x-amz-what"], b"x", (400, "IncompleteBody")),
        (["X-Amz-Content-Sha256: UNSIGNED-PAYLOAD", "X-Amz-Decoded-Content-Length: 9999999999999"], b"x", (200, "")),
    ],
)  # fmt: skip
def test_bodies_that_are_not_what_they_say_are_refused_in_s3_s_words(
    forwarding: Server, recorder: Any, headers: list[str], body: bytes, expected: tuple[int, str]
) -> None:
    status, text = put(forwarding, *headers, body=body)
    assert (status, expected[1].encode() in text) == (expected[0], True)
    assert bool(recorder.asked) is (status == 200)


def test_services_without_a_place_are_refused_by_name(server: Server, forwarding: Server) -> None:
    status, code, message = refusal(server.client("s3").list_buckets)
    assert (status, code) == (501, "NotImplemented")
    assert "--aws-endpoint" in message
    status, code, message = refusal(forwarding.client("sqs").list_queues)
    assert (status, code) == (501, "NotImplementedException")
    assert "sqs" in message


def test_a_companion_that_is_down_is_told_to_callers_health_and_metrics(directory: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        running = Server(directory / "data", INGLE_AWS_ENDPOINT=url).start()
        status, code, message = refusal(running.client("sqs").list_queues)
        assert (status, code) == (503, "ServiceUnavailable")
        assert "sqs cannot be used" in message
        assert refusal(running.client("s3").list_buckets)[:2] == (503, "ServiceUnavailable")
        with urllib.request.urlopen(running.url + "/_ingle/health") as answer:
            assert any("sqs cannot be used" in problem for problem in json.load(answer)["problems"])
        with urllib.request.urlopen(running.url + "/_ingle/metrics") as answer:
            text = answer.read().decode()
        assert 'ingle_companion_requests_total{service="sqs"} 1' in text
        assert 'ingle_companion_failures_total{service="sqs"} 1' in text
        running.client("lambda").list_functions()
        assert running.stop() == 0


def test_an_answer_that_breaks_off_is_no_answer(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

        threading.Thread(target=answer, daemon=True).start()
        running = Server(directory / "data", INGLE_AWS_ENDPOINT=f"http://127.0.0.1:{listener.getsockname()[1]}").start()
        http = HTTPConnection(urlsplit(running.url).netloc, timeout=30)
        http.request("GET", "/b/k", headers={"Authorization": f"AWS4-HMAC-SHA256 {SIGNED}"})
        with pytest.raises(IncompleteRead) as broken:
            http.getresponse().read()
        assert broken.value.partial == b"half"
        http.close()
        assert running.stop() == 0


def test_all_other_services_are_in_one_place(directory: Path) -> None:
    both = Server(directory / "data", INGLE_WITH_AWS="true", INGLE_AWS_ENDPOINT="http://127.0.0.1:1")
    with pytest.raises(RuntimeError, match="give one of them"):
        both.start()
