"""Functions with VpcConfig and FileSystemConfigs: kept, shown, invoked, and refused where they cannot be."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from served import Server, package, refusal

ROLE = "arn:aws:iam::000000000000:role/lambda-role"
SOURCE = """
import json, socket
def handler(event, context):
    try:
        socket.create_connection(tuple(event), 2).close()
        return "connected"
    except OSError as error:
        return "refused"
"""
#: For requests that are refused before anybody looks for the network.
VPC = {"SubnetIds": ["subnet-0a1b2c"], "SecurityGroupIds": ["sg-0a1B2c"]}
EFS = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0"
MOUNT = {"Arn": EFS, "LocalMountPath": "/mnt/data"}
OFTEN = {"Delay": 0.05, "MaxAttempts": 400}


def create(client: Any, name: str, **settings: Any) -> dict[str, Any]:
    base = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE,
            "Code": {"ZipFile": package({"app.py": SOURCE})}}  # fmt: skip
    answer: dict[str, Any] = client.create_function(FunctionName=name, **base, **settings)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    return answer


Function = Callable[..., str]


def network(server: Server) -> dict[str, list[str]]:
    """A VpcConfig in the default network."""
    ec2 = server.client("ec2")
    subnet, group = ec2.describe_subnets()["Subnets"][0], ec2.describe_security_groups()["SecurityGroups"][0]
    return {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]}


@pytest.fixture(scope="session")
def vpc(server: Server) -> dict[str, list[str]]:
    return network(server)


def invoke(client: Any, name: str, **params: Any) -> Any:
    return json.loads(client.invoke(FunctionName=name, Payload=b'["127.0.0.1", 9]', **params)["Payload"].read())


def test_an_attached_function_runs_and_reaches_nobody(
    lambda_client: Any, function: Function, vpc: dict[str, list[str]]
) -> None:
    name = function(SOURCE, VpcConfig=vpc)
    shown = lambda_client.get_function_configuration(FunctionName=name)["VpcConfig"]
    assert shown == {**vpc, "VpcId": shown["VpcId"], "Ipv6AllowedForDualStack": False}
    assert invoke(lambda_client, name) == "refused"


def test_what_a_function_is_attached_to_is_part_of_its_versions(
    lambda_client: Any, function: Function, vpc: dict[str, list[str]]
) -> None:
    name = function(SOURCE, VpcConfig=vpc)
    first = lambda_client.publish_version(FunctionName=name)
    lambda_client.update_function_configuration(FunctionName=name, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    second = lambda_client.publish_version(FunctionName=name)
    assert (first["Version"], second["Version"]) == ("1", "2")
    versions = lambda_client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["VpcConfig"]["SubnetIds"] for version in versions] == [[], vpc["SubnetIds"], []]


def test_a_file_system_that_cannot_be_reached_fails_the_invocation(tmp_path: Path) -> None:
    known = {"INGLE_FILE_SYSTEMS": f"{EFS}={tmp_path}"}
    server = Server(tmp_path / "data", **known).start()
    create(server.client("lambda"), "f", VpcConfig=network(server), FileSystemConfigs=[MOUNT])
    assert server.stop() == 0
    server = Server(tmp_path / "data").start()
    client = server.client("lambda")
    status, code, message = refusal(client.invoke, FunctionName="f")
    assert (status, code) == (408, "EFSMountConnectivityException")
    assert EFS in message
    client.update_function_configuration(FunctionName="f", FileSystemConfigs=[])
    client.get_waiter("function_updated_v2").wait(FunctionName="f", WaiterConfig=OFTEN)
    assert invoke(client, "f") == "refused"
    assert server.stop() == 0


CONSTRAINT = (
    "1 validation error detected: Value '[bad id]' at 'vpcConfig.{member}' failed to satisfy constraint: Member must "
    "satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or "
    "equal to 0, Member must satisfy regular expression pattern: {pattern}]"
)


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        (
            {"VpcConfig": {**VPC, "SubnetIds": ["bad id"]}}, "ValidationException",
            CONSTRAINT.format(member="subnetIds", pattern="subnet-[0-9a-z]*"),
        ),
        (
            {"VpcConfig": {**VPC, "SecurityGroupIds": ["bad id"]}}, "ValidationException",
            CONSTRAINT.format(member="securityGroupIds", pattern="sg-[0-9a-zA-Z]*"),
        ),
        ({"VpcConfig": {**VPC, "SubnetIds": ["subnet-1"] * 17}}, "ValidationException", "less than or equal to 16"),
        ({"VpcConfig": {**VPC, "SecurityGroupIds": ["sg-1"] * 6}}, "ValidationException", "less than or equal to 5"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "InvalidParameterValueException", "must coexist"),
        ({"FileSystemConfigs": [MOUNT]}, "InvalidParameterValueException", "must be configured to execute in a VPC"),
        ({"VpcConfig": VPC}, "InvalidParameterValueException", "The subnet ID 'subnet-0a1b2c' does not exist"),
        ({"VpcConfig": VPC, "FileSystemConfigs": [{**MOUNT, "LocalMountPath": "/data"}]}, "ValidationException",
         "fileSystemConfigs.1.member.localMountPath"),
        ({"VpcConfig": VPC, "FileSystemConfigs": [{**MOUNT, "Arn": "efs"}]}, "ValidationException",
         "fileSystemConfigs.1.member.arn"),
        ({"VpcConfig": VPC, "FileSystemConfigs": [MOUNT, MOUNT]}, "ValidationException", "less than or equal to 1"),
    ],
)  # fmt: skip
def test_bad_attachments_leave_nothing(lambda_client: Any, settings: dict[str, Any], code: str, message: str) -> None:
    name = f"attached-{uuid.uuid4().hex[:12]}"
    found = refusal(create, client=lambda_client, name=name, **settings)
    assert found[:2] == (400, code)
    assert message in found[2]
    assert refusal(lambda_client.get_function, FunctionName=name)[0] == 404


def test_attachments_survive_the_end_of_the_server(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", INGLE_FILE_SYSTEMS=f"{EFS}={tmp_path}").start()
    vpc = network(server)
    create(server.client("lambda"), "kept", VpcConfig=vpc, FileSystemConfigs=[MOUNT])
    server.kill()
    server.start()
    again = server.client("lambda").get_function_configuration(FunctionName="kept")
    assert server.stop() == 0
    assert (again["VpcConfig"]["SubnetIds"], again["FileSystemConfigs"]) == (vpc["SubnetIds"], [MOUNT])
