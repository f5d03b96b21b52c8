"""Functions and layers whose packages are in S3: a `moto` server beside a served Ingle."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from served import Server, package
from signer import Signer

ROLE = "arn:aws:iam::000000000000:role/r"
DEADLINE_SECONDS = 60
GET = "Error occurred while GetObject."


def source(text):
    return package({"app.py": f"def handler(event, context):\n    return {text!r}\n"})


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/moto-api/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="module")
def moto():
    """The URL of a moto server of this module's own."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not answers(port):
        assert process.poll() is None, "moto ended"
        assert time.monotonic() < deadline, "moto does not answer"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def served(moto, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("s3") / "data", INGLE_AWS_ENDPOINT=moto).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def ours(served):
    return served.client("lambda")


@pytest.fixture(scope="module")
def s3(moto):
    return boto3.client(
        "s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip


@pytest.fixture
def bucket(s3):
    name = f"bucket-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def create(ours, code, **settings):
    name = f"f{uuid.uuid4().hex}"
    request = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, **settings}
    created = ours.create_function(FunctionName=name, Code=code, **request)
    ours.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    return name, created


def update(ours, name, **code):
    updated = ours.update_function_code(FunctionName=name, **code)
    ours.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    return updated


def result(ours, name):
    return ours.invoke(FunctionName=name)["Payload"].read()


def test_a_function_runs_from_its_object_and_from_a_version_of_it(ours, s3, bucket):
    key = "a b/größe+&=?#.zip"
    first = s3.put_object(Bucket=bucket, Key=key, Body=source("first"))["VersionId"]
    name, created = create(ours, {"S3Bucket": bucket, "S3Key": key})
    assert result(ours, name) == b'"first"'
    s3.put_object(Bucket=bucket, Key=key, Body=source("second"))
    updated = update(ours, name, S3Bucket=bucket, S3Key=key)
    assert result(ours, name) == b'"second"'
    assert updated["CodeSha256"] != created["CodeSha256"]
    again = update(ours, name, S3Bucket=bucket, S3Key=key, S3ObjectVersion=first)
    assert result(ours, name) == b'"first"'
    assert again["CodeSha256"] == created["CodeSha256"]
    assert ours.get_function(FunctionName=name)["Code"]["RepositoryType"] == "S3"


def test_a_function_stays_when_its_object_goes(ours, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=source("kept"))
    name, _ = create(ours, {"S3Bucket": bucket, "S3Key": "k"})
    s3.delete_object(Bucket=bucket, Key="k")
    assert result(ours, name) == b'"kept"'


def test_a_layer_comes_from_an_object(ours, s3, bucket):
    s3.put_object(Bucket=bucket, Key="layer", Body=package({"python/shared.py": "WORD = 'layer'\n"}))
    content = {"S3Bucket": bucket, "S3Key": "layer"}
    arn = ours.publish_layer_version(LayerName=f"l{uuid.uuid4().hex}", Content=content)["LayerVersionArn"]
    code = package({"app.py": "import shared\n\ndef handler(event, context):\n    return shared.WORD\n"})
    s3.put_object(Bucket=bucket, Key="code", Body=code)
    name, _ = create(ours, {"S3Bucket": bucket, "S3Key": "code"}, Layers=[arn])
    assert result(ours, name) == b'"layer"'


def test_a_package_larger_than_a_request_may_carry(ours, s3, bucket):
    body = package({"app.py": "def handler(event, context):\n    return 1\n", "data": os.urandom(53_000_000)})
    assert len(body) > 52_428_800
    s3.put_object(Bucket=bucket, Key="large", Body=body)
    name, created = create(ours, {"S3Bucket": bucket, "S3Key": "large"})
    assert created["CodeSize"] == len(body)
    assert result(ours, name) == b"1"


def test_dry_runs_look_at_the_object_and_change_nothing(ours, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=source("a"))
    s3.put_object(Bucket=bucket, Key="b", Body=source("b"))
    name, created = create(ours, {"S3Bucket": bucket, "S3Key": "a"})
    told = ours.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="b", DryRun=True)
    assert told["CodeSha256"] != created["CodeSha256"]
    assert result(ours, name) == b'"a"'


def refusal(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    found = caught.value.response["Error"]
    return found["Code"], found["Message"]


def test_what_is_not_there_or_no_package(ours, s3, bucket):
    s3.put_object(Bucket=bucket, Key="text", Body=b"no zip")
    absent = f"bucket-{uuid.uuid4().hex}"
    cases = [
        ({"S3Bucket": absent, "S3Key": "k"},
         f"{GET} S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not"),
        ({"S3Bucket": bucket, "S3Key": "absent"},
         f"{GET} S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."),
        ({"S3Bucket": bucket, "S3Key": "text", "S3ObjectVersion": str(uuid.uuid4())},
         f"{GET} S3 Error Code: NoSuchVersion. S3 Error Message: The specified version does"),
        ({"S3Bucket": bucket, "S3Key": "text"}, "Could not unzip uploaded file."),
    ]  # fmt: skip
    request = {"FunctionName": "f", "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE}
    for code, text in cases:
        for call, params in (
            (ours.create_function, {**request, "Code": code}),
            (ours.publish_layer_version, {"LayerName": "refused", "Content": code}),
        ):
            told, message = refusal(call, **params)
            assert (told, message[: len(text)]) == ("InvalidParameterValueException", text)


def test_a_bucket_of_another_region(served, s3):
    name = f"bucket-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=name, Key="k", Body=source("there"))
    content = {"S3Bucket": name, "S3Key": "k"}
    told, message = refusal(served.client("lambda").publish_layer_version, LayerName="l", Content=content)
    assert told == "InvalidParameterValueException"
    assert "S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: eu-west-1." in message
    assert served.client("lambda", "eu-west-1").publish_layer_version(LayerName="l", Content=content)["Version"] == 1


def test_access_that_is_denied(moto, s3, bucket, tmp_path):
    """moto checks signatures and policies once it is told to."""
    s3.put_object(Bucket=bucket, Key="k", Body=source("secret"))
    control = http.client.HTTPConnection(moto.removeprefix("http://"), timeout=10)
    server = Server(
        tmp_path / "data", INGLE_AWS_ENDPOINT=moto, INGLE_AWS_ACCESS_KEY_ID="nobody", INGLE_AWS_SECRET_ACCESS_KEY="x"
    ).start()
    try:
        control.request("POST", "/moto-api/reset-auth", body=b"0")
        control.getresponse().read()
        content = {"S3Bucket": bucket, "S3Key": "k"}
        told, message = refusal(server.client("lambda").publish_layer_version, LayerName="l", Content=content)
    finally:
        control.request("POST", "/moto-api/reset-auth", body=b"1000000")
        control.getresponse().read()
        control.close()
        assert server.stop() == 0
    assert told == "AccessDeniedException"
    assert message.startswith("Your access has been denied by S3")
    assert f"for {bucket}/k. S3 Error Code: " in message


def test_a_companion_that_is_not_there(tmp_path):
    port = free_port()
    server = Server(tmp_path / "data", INGLE_AWS_ENDPOINT_S3=f"http://127.0.0.1:{port}").start()
    try:
        content = {"S3Bucket": "bucket", "S3Key": "k"}
        told, message = refusal(server.client("lambda").publish_layer_version, LayerName="l", Content=content)
    finally:
        assert server.stop() == 0
    assert told == "ServiceException"
    assert f"S3 at http://127.0.0.1:{port} cannot be used: " in message


def test_without_a_companion_the_option_is_named(lambda_client):
    content = {"S3Bucket": "bucket", "S3Key": "k"}
    told, message = refusal(lambda_client.publish_layer_version, LayerName="l", Content=content)
    assert told == "NotImplementedException"
    assert "--aws-endpoint URL" in message


def test_signatures_of_objects_are_checked(served, ours, s3, bucket, tmp_path):
    signer = Signer(served.data_dir, tmp_path)
    publishers = {"SigningProfileVersionArns": [signer.create("team")]}
    policies = {"UntrustedArtifactOnDeployment": "Enforce"}
    config = ours.create_code_signing_config(AllowedPublishers=publishers, CodeSigningPolicies=policies)
    arn = config["CodeSigningConfig"]["CodeSigningConfigArn"]
    signed, job = signer.sign(source("signed"), "team")
    s3.put_object(Bucket=bucket, Key="signed.zip", Body=signed)
    s3.put_object(Bucket=bucket, Key="unsigned.zip", Body=source("unsigned"))
    name, created = create(ours, {"S3Bucket": bucket, "S3Key": "signed.zip"}, CodeSigningConfigArn=arn)
    assert created["SigningJobArn"] == job
    with pytest.raises(ours.exceptions.CodeVerificationFailedException):
        ours.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="unsigned.zip")
    assert result(ours, name) == b'"signed"'
