"""Private networks and file systems of functions, set in the console and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.scenarios import PYTHON, needs_browser, needs_node, play
from kernel.networks import require
from kernel.sandboxed import running
from served import Server, create_function, package, settle

ACCESS_POINT = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0"
SOURCE = """
def handler(event, context):
    with open("/mnt/data/note", "w") as file:
        return file.write(event)
"""


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def _rule(port: int, cidr: str) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}]


def _network(ec2: Any) -> dict[str, Any]:
    """A VPC with a subnet that leads out by a NAT gateway, one that does not, and two groups."""
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=_named("vpc", "apps"))["Vpc"]["VpcId"]

    def subnet(cidr: str, name: str) -> str:
        made = ec2.create_subnet(
            VpcId=vpc, CidrBlock=cidr, AvailabilityZone="us-east-1a", TagSpecifications=_named("subnet", name)
        )
        return str(made["Subnet"]["SubnetId"])

    def routed(subnet: str, **target: str) -> None:
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)

    def group(name: str, port: int, cidr: str) -> str:
        made = str(ec2.create_security_group(VpcId=vpc, GroupName=name, Description=f"for {name}")["GroupId"])
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
        ec2.authorize_security_group_egress(GroupId=made, IpPermissions=_rule(port, cidr))
        return made

    near, far, outer = subnet("10.7.0.0/24", "near"), subnet("10.7.1.0/24", "far"), subnet("10.7.2.0/24", "outer")
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=outer, AllocationId=address)["NatGateway"]["NatGatewayId"]
    routed(outer, GatewayId=internet)
    routed(near, NatGatewayId=gateway)
    groups = [group("databases", 5432, "10.7.0.0/16"), group("web", 443, "0.0.0.0/0")]
    ec2.authorize_security_group_ingress(GroupId=groups[1], IpPermissions=_rule(80, "0.0.0.0/0"))
    return {"vpc": vpc, "subnets": [near, far], "groups": groups, "gateway": gateway}


@needs_node
@needs_browser
def test_a_network_and_a_file_system_are_set_in_the_page(directory: Path) -> None:
    require()
    shared = directory / "shared"
    shared.mkdir()
    settings = {"INGLE_FILE_SYSTEMS": f"{ACCESS_POINT}={shared}", "INGLE_INTERFACE_LINGER": "0"}
    server = Server(directory / "data", **settings).start()
    try:
        client = server.client("lambda")
        create_function(client, "attached", SOURCE, Runtime=PYTHON, Timeout=20)
        network = _network(server.client("ec2"))

        def answer(asked: Any) -> str:
            settle(client, "attached")
            found = client.get_function_configuration(FunctionName="attached")
            assert found["VpcConfig"]["VpcId"] == network["vpc"]
            assert found["VpcConfig"]["SubnetIds"] == [network["subnets"][0]]
            assert found["VpcConfig"]["SecurityGroupIds"] == network["groups"]
            invoked = client.invoke(FunctionName="attached", Payload=json.dumps("hello"))
            assert json.loads(invoked["Payload"].read()) == 5
            return "written" if (shared / "note").read_text() == "hello" else "lost"

        given = {"url": server.url, "accessPoint": ACCESS_POINT, **network}
        assert play("network", given, answer) == [
            "a network, with a mistake", "a network", "a file system, with a mistake", "a network in the dark, narrow",
            "no file system, for want of a network",
        ]  # fmt: skip
        found = client.get_function_configuration(FunctionName="attached")
        assert (found["VpcConfig"]["SubnetIds"], found.get("FileSystemConfigs", [])) == ([], [])
    finally:
        assert server.stop() == 0


@pytest.mark.thorough
@needs_node
@needs_browser
def test_where_networks_are_refused_the_page_says_so() -> None:
    with running("process") as server:
        ec2, client = server.client("ec2"), server.client("lambda")
        subnet = ec2.describe_subnets()["Subnets"][0]
        [group] = ec2.describe_security_groups()["SecurityGroups"]
        client.create_function(
            FunctionName="attached", Runtime=PYTHON, Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
            Code={"ZipFile": package({"app.py": SOURCE})},
            VpcConfig={"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]},
        )  # fmt: skip
        assert play("network", {"url": server.url, "refused": True}) == ["a network that the server refuses"]
