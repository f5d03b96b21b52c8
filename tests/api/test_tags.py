"""Tags of functions and searches by them, as boto3 and the AWS CLI use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from served import Server, package

SOURCE = "def handler(event, context):\n    return 'ran'\n"
ROLE = "arn:aws:iam::000000000000:role/r"


def arn_of(name, region="us-east-1"):
    return f"arn:aws:lambda:{region}:000000000000:function:{name}"


@pytest.fixture(scope="session", params=["json", "smithy-rpc-v2-cbor"])
def tagging(server, request):
    """A client for each protocol that the service model names: botocore speaks the one that it is told to."""
    session = boto3.session.Session()
    loader = session._session.get_component("data_loader")
    name = "resourcegroupstaggingapi"
    model = {**loader.load_service_model(name, "service-2")}
    model["metadata"] = {**model["metadata"], "protocol": request.param, "protocols": [request.param]}
    original = loader.load_service_model

    def load(service, kind, api_version=None):
        return model if (service, kind) == (name, "service-2") else original(service, kind, api_version)

    loader.load_service_model = load
    return session.client(
        name, endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def test_a_function_is_tagged_and_goes_on_running(lambda_client, function):
    name = function(SOURCE, Tags={"team": "x", "größe": ""})
    arn = arn_of(name)
    before = lambda_client.get_function(FunctionName=name)
    assert before["Tags"] == {"team": "x", "größe": ""}
    lambda_client.tag_resource(Resource=arn, Tags={"team": "y", "a/b:c": "d e"})
    lambda_client.untag_resource(Resource=arn, TagKeys=["größe", "never there"])
    assert lambda_client.list_tags(Resource=arn)["Tags"] == {"team": "y", "a/b:c": "d e"}
    after = lambda_client.get_function(FunctionName=name)
    assert after["Configuration"] == before["Configuration"]
    assert lambda_client.invoke(FunctionName=name)["Payload"].read() == b'"ran"'


@pytest.mark.parametrize("encoded", [True, False])
def test_arns_in_paths_are_encoded_or_not(server, function, encoded):
    arn = arn_of(function(SOURCE, Tags={"a": "b"}))
    url = f"{server.url}/2017-03-31/tags/{quote(arn, safe='') if encoded else arn}"
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    assert (answer.status_code, json.loads(answer.content)) == (200, {"Tags": {"a": "b"}})


@pytest.mark.parametrize(
    ("operation", "params", "code", "text"),
    [
        ("list_tags", {"Resource": "f"}, "ValidationException", "Value 'f' at 'resource' failed to satisfy"),
        (
            "list_tags",
            {"Resource": "arn:aws:lambda:us-east-1:000000000000:layer:l"},
            "ValidationException",
            "at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:",
        ),
        ("list_tags", {"Resource": arn_of("absent")}, "ResourceNotFoundException", f"not found: {arn_of('absent')}"),
        ("list_tags", {"Resource": arn_of("absent:1")}, "InvalidParameterValueException", "Tags on function aliases"),
        ("list_tags", {"Resource": arn_of("f", "eu-west-1")}, "ResourceNotFoundException", "Functions from 'eu-we"),
        (
            "tag_resource",
            {"Resource": arn_of("f"), "Tags": {}},
            "InvalidParameterValueException",
            "cannot be processed",
        ),
        ("untag_resource", {"Resource": arn_of("f"), "TagKeys": []}, "ValidationException", "Value null at 'tagKeys'"),
        (
            "tag_resource",
            {"Resource": arn_of("f"), "Tags": {"a;b": "c"}},
            "ValidationException",
            "at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less",
        ),
        (
            "tag_resource",
            {"Resource": arn_of("f"), "Tags": {"a": "c" * 257}},
            "ValidationException",
            "Map value must satisfy constraint: [Member must have length less than or equal to 256",
        ),
    ],
)
def test_refusals(lambda_client, operation, params, code, text):
    with pytest.raises(ClientError) as caught:
        getattr(lambda_client, operation)(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]


def test_functions_are_found_by_their_tags(tagging, function):
    run = uuid.uuid4().hex
    live = [arn_of(function(SOURCE, Tags={"run": run, "stage": "live"})) for _ in range(3)]
    test = arn_of(function(SOURCE, Tags={"run": run, "stage": "test"}))
    mine = {"Key": "run", "Values": [run]}

    def found(*filters, **more):
        pages = tagging.get_paginator("get_resources").paginate(TagFilters=[mine, *filters], **more)
        return [item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]]

    assert found() == sorted([*live, test])
    assert found(ResourceTypeFilters=["lambda:function"], ResourcesPerPage=1) == sorted([*live, test])
    assert found({"Key": "stage", "Values": ["live"]}) == live
    assert found({"Key": "stage", "Values": ["live", "test"]}) == sorted([*live, test])
    assert run in tagging.get_tag_values(Key="run")["TagValues"]
    assert {"run", "stage"} <= set(tagging.get_tag_keys()["TagKeys"])


def test_several_functions_are_tagged_at_once(tagging, lambda_client, function):
    arns = [arn_of(function(SOURCE)) for _ in range(2)]
    absent = arn_of("absent")
    answer = tagging.tag_resources(ResourceARNList=[*arns, absent], Tags={"a": "1", "b": "2"})
    assert answer["FailedResourcesMap"] == {
        absent: {
            "StatusCode": 404,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Function not found: {absent}",
        }
    }
    assert tagging.untag_resources(ResourceARNList=arns, TagKeys=["a"])["FailedResourcesMap"] == {}
    assert [lambda_client.list_tags(Resource=arn)["Tags"] for arn in arns] == [{"b": "2"}] * 2
    (first, second) = tagging.get_resources(ResourceARNList=arns)["ResourceTagMappingList"]
    assert (first["Tags"], second["ResourceARN"]) == ([{"Key": "b", "Value": "2"}], arns[1])


def test_refusals_of_searches(tagging):
    with pytest.raises(tagging.exceptions.InvalidParameterException, match="resourcesPerPage"):
        tagging.get_resources(ResourcesPerPage=500)
    with pytest.raises(ClientError, match=r"NotImplementedException.*GetComplianceSummary"):
        tagging.get_compliance_summary()


def test_the_command_line_searches_by_tags(server, function):
    run = uuid.uuid4().hex
    arn = arn_of(function(SOURCE, Tags={"run": run}))
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                   "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.url}  # fmt: skip
    command = [sys.executable, "-m", "awscli", "resourcegroupstaggingapi", "get-resources", "--tag-filters",
               f"Key=run,Values={run}", "--resource-type-filters", "lambda:function"]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["ResourceTagMappingList"]
    assert found == {"ResourceARN": arn, "Tags": [{"Key": "run", "Value": run}]}


def test_tags_outlive_a_server_that_is_killed(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        code = {"ZipFile": package({"app.py": SOURCE})}
        request = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": code}
        server.client("lambda").create_function(FunctionName="f", Tags={"a": "1", "b": "2"}, **request)
        server.client("lambda").tag_resource(Resource=arn_of("f"), Tags={"a": "3"})
    finally:
        server.kill()
    server = Server(tmp_path / "data").start()
    try:
        assert server.client("lambda").list_tags(Resource=arn_of("f"))["Tags"] == {"a": "3", "b": "2"}
        found = server.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "a", "Values": ["3"]}])
        assert [item["ResourceARN"] for item in found["ResourceTagMappingList"]] == [arn_of("f")]
    finally:
        assert server.stop() == 0
