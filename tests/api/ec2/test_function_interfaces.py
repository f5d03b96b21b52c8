"""Functions in private networks, as EC2 and Lambda show them."""

from __future__ import annotations

import time

import pytest

from served import OFTEN, Server, create_function, refusal, settle

SOURCE = "def handler(event, context):\n    return event\n"


def only(answer, member):
    (found,) = answer[member]
    return found


@pytest.fixture
def functions(server, account):
    return server.client("lambda", account=account)


@pytest.fixture
def config(subnet, group):
    return {"SubnetIds": [subnet], "SecurityGroupIds": [group]}


def of_lambda(ec2):
    named = [{"Name": "interface-type", "Values": ["lambda"]}]
    return ec2.describe_network_interfaces(Filters=named)["NetworkInterfaces"]


def test_a_function_has_an_interface_in_its_subnet(ec2, functions, vpc, subnet, group, config):
    role = "arn:aws:iam::000000000000:role/r"
    create_function(functions, "one", SOURCE, VpcConfig=config, Role=role)
    shown = functions.get_function_configuration(FunctionName="one")
    assert shown["VpcConfig"] == {**config, "VpcId": vpc, "Ipv6AllowedForDualStack": False}
    assert shown["State"] == "Active"
    (interface,) = of_lambda(ec2)
    assert interface["Description"].startswith("AWS Lambda VPC ENI-one-")
    assert (interface["Status"], interface["SubnetId"], interface["VpcId"]) == ("in-use", subnet, vpc)
    assert (interface["RequesterManaged"], interface["RequesterId"]) == (True, "amazon-lambda")
    assert interface["Groups"] == [{"GroupId": group, "GroupName": "own"}]
    assert interface["Attachment"]["Status"] == "attached"
    assert interface["Attachment"]["InstanceOwnerId"] == "amazon-aws"
    create_function(functions, "two", SOURCE, VpcConfig=config, Role=role)
    assert len(of_lambda(ec2)) == 1
    identifier = interface["NetworkInterfaceId"]
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[1] == "DependencyViolation"
    assert refusal(ec2.delete_security_group, GroupId=group)[1] == "DependencyViolation"
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=identifier)[1:] == (
        "InvalidParameterValue", f"Network interface '{identifier}' is currently in use.",
    )  # fmt: skip
    change = ec2.modify_network_interface_attribute
    assert refusal(change, NetworkInterfaceId=identifier, Groups=[group])[1] == "OperationNotPermitted"


def test_a_function_moves_between_networks(ec2, functions, vpc, config):
    create_function(functions, "one", SOURCE, VpcConfig=config)
    other = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"]
    moved = functions.update_function_configuration(FunctionName="one", VpcConfig={**config, "SubnetIds": [other]})
    assert (moved["LastUpdateStatus"], moved["VpcConfig"]["VpcId"]) == ("InProgress", vpc)
    settle(functions, "one")
    assert {held["SubnetId"] for held in of_lambda(ec2)} == {*config["SubnetIds"], other}
    left = {"SubnetIds": [], "SecurityGroupIds": []}
    functions.update_function_configuration(FunctionName="one", VpcConfig=left)
    settle(functions, "one")
    shown = functions.get_function_configuration(FunctionName="one")["VpcConfig"]
    assert shown == {**left, "VpcId": "", "Ipv6AllowedForDualStack": False}


def test_unknown_networks_are_refused_and_leave_nothing(functions, config):
    wrong = {**config, "SubnetIds": ["subnet-0123456789abcdef0"]}
    with pytest.raises(functions.exceptions.InvalidParameterValueException) as raised:
        create_function(functions, "one", SOURCE, VpcConfig=wrong)
    assert raised.value.response["Error"]["Message"] == (
        "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet "
        "ID 'subnet-0123456789abcdef0' does not exist"
    )
    assert refusal(functions.get_function, FunctionName="one")[0] == 404


def test_a_full_subnet_fails_the_function_with_its_reason(ec2, functions, vpc, group):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/28")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, SecondaryPrivateIpAddressCount=10)
    config = {"SubnetIds": [subnet], "SecurityGroupIds": [group]}
    with pytest.raises(Exception, match="FunctionActiveV2"):
        create_function(functions, "one", SOURCE, VpcConfig=config)
    shown = functions.get_function_configuration(FunctionName="one")
    assert (shown["State"], shown["StateReasonCode"]) == ("Failed", "SubnetOutOfIPAddresses")


def test_interfaces_last_over_a_crash_and_go_when_unused(directory):
    server = Server(directory / "data", INGLE_INTERFACE_LINGER="0").start()
    try:
        ec2 = server.client("ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        config = {"SubnetIds": [subnet], "SecurityGroupIds": [group]}
        create_function(server.client("lambda"), "one", SOURCE, VpcConfig=config)
        before = of_lambda(ec2)
        server.crash()
        ec2, functions = server.client("ec2"), server.client("lambda")
        assert of_lambda(ec2) == before
        functions.get_waiter("function_active_v2").wait(FunctionName="one", WaiterConfig=OFTEN)
        functions.delete_function(FunctionName="one")
        deadline = time.monotonic() + 30
        while of_lambda(ec2):
            assert time.monotonic() < deadline, "the interface stays"
            time.sleep(0.05)
        ec2.delete_subnet(SubnetId=subnet)
    finally:
        assert server.stop() == 0


def test_an_idle_function_is_woken_by_an_invocation(directory):
    times = {"INGLE_IDLE_RECLAIM": "0.5", "INGLE_IDLE_TIMEOUT": "0.1", "INGLE_INTERFACE_LINGER": "0"}
    server = Server(directory / "data", **times).start()
    try:
        ec2, functions = server.client("ec2"), server.client("lambda")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        config = {"SubnetIds": [subnet], "SecurityGroupIds": [group]}
        create_function(functions, "one", SOURCE, VpcConfig=config)

        def wait_for(state):
            deadline = time.monotonic() + 30
            while functions.get_function_configuration(FunctionName="one")["State"] != state:
                assert time.monotonic() < deadline, f"it does not become {state}"
                time.sleep(0.02)

        wait_for("Inactive")
        shown = functions.get_function_configuration(FunctionName="one")
        assert (shown["StateReasonCode"], shown["StateReason"]) == ("Idle", "The function is idle.")
        deadline = time.monotonic() + 30
        while of_lambda(ec2):
            assert time.monotonic() < deadline, "the interface stays"
            time.sleep(0.05)
        status, code, message = refusal(functions.invoke, FunctionName="one")
        assert (status, code) == (409, "ResourceConflictException")
        assert message.endswith("currently in the following state: Inactive")
        wait_for("Active")
        assert functions.invoke(FunctionName="one", Payload=b"7")["Payload"].read() == b"7"
    finally:
        assert server.stop() == 0
