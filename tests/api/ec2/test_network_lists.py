"""What all resources of networks have in common: ids, filters, pages, tags, dry runs, accounts, durability."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from served import plain, refusal

DESCRIBES = [
    ("describe_vpcs", "VpcIds", "vpc", "InvalidVpcID"),
    ("describe_subnets", "SubnetIds", "subnet", "InvalidSubnetID"),
    ("describe_security_groups", "GroupIds", "sg", "InvalidGroup"),
    ("describe_security_group_rules", "SecurityGroupRuleIds", "sgr", "InvalidSecurityGroupRuleId"),
    ("describe_route_tables", "RouteTableIds", "rtb", "InvalidRouteTableID"),
    ("describe_network_acls", "NetworkAclIds", "acl", "InvalidNetworkAclID"),
    ("describe_network_interfaces", "NetworkInterfaceIds", "eni", "InvalidNetworkInterfaceID"),
    ("describe_internet_gateways", "InternetGatewayIds", "igw", "InvalidInternetGatewayID"),
    ("describe_egress_only_internet_gateways", "EgressOnlyInternetGatewayIds", "eigw", "InvalidGatewayID"),
    ("describe_nat_gateways", "NatGatewayIds", "nat", "NatGateway"),
    ("describe_addresses", "AllocationIds", "eipalloc", "InvalidAllocationID"),
    ("describe_managed_prefix_lists", "PrefixListIds", "pl", "InvalidPrefixListID"),
    ("describe_dhcp_options", "DhcpOptionsIds", "dopt", "InvalidDhcpOptionID"),
]


@pytest.mark.parametrize(("operation", "member", "prefix", "code"), DESCRIBES, ids=lambda value: value)
def test_ids_that_are_nothings_are_refused(ec2, operation, member, prefix, code):
    describe = getattr(ec2, operation)
    status, found, text = refusal(describe, **{member: [f"{prefix}-0123456789abcdef0"]})
    assert (status, found.startswith(code), "NotFound" in found) == (400, True, True)
    assert f"{prefix}-0123456789abcdef0" in text
    for wrong in ("x", f"{prefix}-", f"{prefix}-xyz", "i-01234567", f"{prefix}-0123456789ABCDEF0", ""):
        status, found, text = refusal(describe, **{member: [wrong]})
        assert (status, "Malformed" in found) == (400, True), wrong
    filters = "Filter" if operation == "describe_nat_gateways" else "Filters"
    unknown = refusal(describe, **{filters: [{"Name": "colour", "Values": ["blue"]}]})
    assert unknown[1:] == ("InvalidParameterValue", "The filter 'colour' is invalid")
    assert refusal(describe, DryRun=True)[:2] == (412, "DryRunOperation")


def test_every_id_that_is_asked_for_has_to_be_there(ec2, vpc):
    text = refusal(ec2.describe_vpcs, VpcIds=[vpc, "vpc-00000001", "vpc-00000002"])[2]
    assert text == "The vpc IDs 'vpc-00000001, vpc-00000002' do not exist"
    assert len(ec2.describe_vpcs(VpcIds=[vpc, vpc])["Vpcs"]) == 1


def test_filters_are_joined_by_and_and_their_values_by_or(ec2):
    names = {}
    for name, stage in (("one", "test"), ("two", "test"), ("th*ee", "live")):
        tags = [{"Key": "Name", "Value": name}, {"Key": "stage", "Value": stage}]
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])
        names[made["Vpc"]["VpcId"]] = name

    def found(*filters):
        given = [{"Name": name, "Values": values} for name, values in filters]
        return {names.get(vpc["VpcId"], "default") for vpc in ec2.describe_vpcs(Filters=given)["Vpcs"]}

    assert found(("tag:stage", ["test"])) == {"one", "two"}
    assert found(("tag:stage", ["test", "live"]), ("tag:Name", ["t*"])) == {"two", "th*ee"}
    assert found(("tag-key", ["stage"]), ("cidr", ["10.0.0.0/16"])) == {"one", "two", "th*ee"}
    assert found(("tag:Name", ["?ne"])) == {"one"}
    assert found(("tag:Name", ["th\\*ee"])) == {"th*ee"}
    assert found(("tag:Name", ["t\\*"])) == set()
    assert found(("tag:Name", ["One"])) == set()
    assert found(("is-default", ["true"])) == {"default"}
    assert found(("tag:Name", [])) == set()


def test_pages_hold_together_beside_changes(ec2):
    made = [ec2.create_security_group(GroupName=f"g{number}", Description="d")["GroupId"] for number in range(30)]
    named = [{"Name": "group-name", "Values": ["g*"]}]
    first = ec2.describe_security_groups(MaxResults=10, Filters=named)
    seen = [group["GroupId"] for group in first["SecurityGroups"]]
    assert len(seen) == 10
    for gone in seen:
        ec2.delete_security_group(GroupId=gone)
    token = first["NextToken"]
    while token is not None:
        answer = ec2.describe_security_groups(MaxResults=10, Filters=named, NextToken=token)
        seen += [group["GroupId"] for group in answer["SecurityGroups"]]
        token = answer.get("NextToken")
    assert sorted(seen) == sorted(made)
    assert refusal(ec2.describe_security_groups, NextToken="bogus")[1] == "InvalidNextToken"
    pages = list(ec2.get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Subnets"]) for page in pages] == [5, 1]


@pytest.mark.parametrize("size", [4, 1001])
def test_a_page_has_between_5_and_1000_items(raw_ec2, size):
    assert refusal(raw_ec2.describe_vpcs, MaxResults=size)[1] == "InvalidParameterValue"


def test_a_dry_run_checks_everything_and_changes_nothing(ec2, vpc):
    before = ec2.describe_vpcs()["Vpcs"]
    assert refusal(ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True) == (
        412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.",
    )  # fmt: skip
    assert refusal(ec2.create_vpc, CidrBlock="10.0.0.0/2", DryRun=True)[1] == "InvalidVpc.Range"
    assert refusal(ec2.delete_vpc, VpcId=vpc, DryRun=True)[1] == "DryRunOperation"
    assert ec2.describe_vpcs()["Vpcs"] == before


def test_tags_of_anything_are_set_shown_and_removed(ec2, vpc, subnet):
    ec2.create_tags(Resources=[vpc, subnet], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "changed"}])
    shown = ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["vpc"]}])["Tags"]
    assert shown == [
        {"Key": "a", "ResourceId": vpc, "ResourceType": "vpc", "Value": "changed"},
        {"Key": "b", "ResourceId": vpc, "ResourceType": "vpc", "Value": "2"},
    ]
    assert len(ec2.describe_tags(Filters=[{"Name": "tag:b", "Values": ["2"]}])["Tags"]) == 2
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "another"}, {"Key": "b"}])
    assert [tag["Key"] for tag in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]] == ["a"]
    ec2.delete_tags(Resources=[vpc])
    assert "Tags" not in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    one = [{"Key": "k", "Value": "v"}]
    assert refusal(ec2.create_tags, Resources=["vpc-00000000"], Tags=one)[1] == "InvalidVpcID.NotFound"
    assert refusal(ec2.create_tags, Resources=["what-00000000"], Tags=one)[1] == "InvalidID"
    reserved = [{"Key": "aws:k", "Value": "v"}]
    assert refusal(ec2.create_tags, Resources=[vpc], Tags=reserved)[1] == "InvalidParameterValue"
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
    assert refusal(ec2.create_tags, Resources=[vpc], Tags=many)[1] == "TagLimitExceeded"


def test_accounts_do_not_see_each_other(ec2, vpc, subnet, group, server):
    stranger = server.client("ec2", account="399999999999")
    assert refusal(stranger.describe_vpcs, VpcIds=[vpc])[1] == "InvalidVpcID.NotFound"
    assert refusal(stranger.delete_subnet, SubnetId=subnet)[1] == "InvalidSubnetID.NotFound"
    assert refusal(stranger.create_tags, Resources=[group], Tags=[{"Key": "a", "Value": "b"}])[1] == (
        "InvalidGroup.NotFound"
    )
    assert refusal(stranger.create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24")[1] == "InvalidVpcID.NotFound"


def test_operations_beyond_networks_are_refused_by_name(ec2):
    status, code, text = refusal(ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1)
    assert (status, code, "RunInstances" in text) == (501, "NotImplementedException", True)


def test_an_unknown_action_and_another_version_are_refused(server):
    for form in (b"Action=Nothing&Version=2016-11-15", b"Version=2016-11-15"):
        request = urllib.request.Request(server.url, data=form)
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=5)
        assert raised.value.code == 400
        raised.value.close()


def test_what_was_acknowledged_survives_a_crash(own_server):
    ec2 = own_server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    permission = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": group}]}]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=permission)
    ec2.create_network_interface(SubnetId=subnet, Groups=[group], SecondaryPrivateIpAddressCount=2)
    ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")
    ec2.allocate_address()
    ec2.create_egress_only_internet_gateway(VpcId=vpc)
    entries = [{"Cidr": "10.0.0.0/8", "Description": "x"}]
    ec2.create_managed_prefix_list(PrefixListName="n", MaxEntries=2, AddressFamily="IPv4", Entries=entries)
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=True, Protocol="-1", RuleAction="allow",
                                 CidrBlock="0.0.0.0/0")  # fmt: skip
    ec2.create_tags(Resources=[subnet, group], Tags=[{"Key": "a", "Value": "b"}])

    def everything(client):
        found = {operation: plain(getattr(client, operation)()) for operation, *_ in DESCRIBES}
        return found | {"tags": plain(client.describe_tags())}

    before = everything(ec2)
    own_server.crash()
    assert everything(own_server.client("ec2")) == before


def test_the_command_line_of_aws_makes_networks(server, account):
    program = Path(sys.executable).with_name("aws")
    if not program.exists():
        pytest.skip("the AWS command line is not installed")

    def aws(*words):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "x",
                       "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.url}  # fmt: skip
        done = subprocess.run(
            [program, "ec2", *words, "--output", "text"], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    vpc = aws("create-vpc", "--cidr-block", "10.0.0.0/16", "--query", "Vpc.VpcId")
    group = aws(
        "create-security-group", "--group-name", "g", "--description", "d", "--vpc-id", vpc, "--query", "GroupId"
    )
    aws("authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22", "--cidr",
        "10.0.0.0/8")  # fmt: skip
    query = "SecurityGroups[0].IpPermissions[0].[IpProtocol,FromPort,IpRanges[0].CidrIp]"
    assert aws("describe-security-groups", "--group-ids", group, "--query", query).split() == [
        "tcp", "22", "10.0.0.0/8"
    ]  # fmt: skip
    found = aws("describe-vpcs", "--filters", f"Name=vpc-id,Values={vpc}", "--query", "Vpcs[].CidrBlock")
    assert found == "10.0.0.0/16"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("create_vpc", {"CidrBlock": "10.0.0.0/16", "Ipv4NetmaskLength": 16}),
        ("associate_vpc_cidr_block", {"VpcId": "vpc-00000000", "Ipv6CidrBlock": "fd00::/56"}),
        ("create_subnet", {"VpcId": "vpc-00000000", "OutpostArn": "arn:aws:outposts:us-east-1:0:outpost/op-1"}),
        ("associate_route_table", {"RouteTableId": "rtb-00000000", "GatewayId": "igw-00000000"}),
        ("assign_private_ip_addresses", {"NetworkInterfaceId": "eni-00000000", "Ipv4PrefixCount": 1}),
        ("allocate_address", {"Address": "203.0.113.1"}),
    ],
)
def test_what_a_parameter_asks_for_in_vain_is_refused_by_its_name(ec2, operation, params):
    name = list(params)[-1]
    found = refusal(getattr(ec2, operation), **params)
    assert found == (400, "InvalidParameterValue", f"The parameter {name} is not supported.")


def test_what_is_made_at_once_is_made_one_after_another(ec2, subnet, vpc, server):
    others = [server.client("ec2", account=f"4000000000{number:02d}") for number in range(4)]
    permission = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]

    def authorize(_):
        try:
            return ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission)["Return"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: ec2.create_network_interface(SubnetId=subnet), range(40)))
        allocated = list(pool.map(lambda number: others[number % 4].allocate_address(), range(40)))
        outcomes = list(pool.map(authorize, range(16)))
    assert len({answer["NetworkInterface"]["PrivateIpAddress"] for answer in made}) == 40
    assert len({answer["PublicIp"] for answer in allocated}) == 40
    assert sorted(map(str, outcomes)) == ["InvalidPermission.Duplicate"] * 15 + ["True"]
