"""Who may do what with networks, and whose functions may be attached to them."""

from __future__ import annotations

from typing import Any

import pytest

from access_site import ACCOUNT, QUIET, REGION, Site, allow, deny
from served import package, refusal

VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def arn(kind: str, identifier: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{identifier}"


@pytest.fixture
def root(site: Site) -> Any:
    return site.client("ec2")


@pytest.fixture
def vpc(root: Any) -> str:
    return str(root.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def test_operations_need_their_action_on_what_they_name_and_make(site: Site, vpc: str) -> None:
    nobody = site.caller("ec2")
    status, code, message = refusal(nobody.describe_vpcs)
    assert (status, code) == (403, "UnauthorizedOperation")
    assert "is not authorized to perform: ec2:DescribeVpcs on resource: *" in message
    subnets_only = site.caller("ec2", allow("ec2:CreateSubnet", arn("subnet", "*")))
    assert refusal(subnets_only.create_subnet, VpcId=vpc, CidrBlock="10.0.1.0/24")[1] == "UnauthorizedOperation"
    both = site.caller("ec2", allow("ec2:CreateSubnet", [arn("subnet", "*"), arn("vpc", vpc)]))
    made = both.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert refusal(both.delete_subnet, SubnetId=made)[1] == "UnauthorizedOperation"
    dry = site.caller("ec2", allow("ec2:DeleteSubnet", arn("subnet", made)))
    assert refusal(dry.delete_subnet, SubnetId=made, DryRun=True)[:2] == (412, "DryRunOperation")


def test_tags_and_vpcs_are_conditions(site: Site, root: Any, vpc: str) -> None:
    tagged = allow("ec2:*", Condition={"StringEquals": {"aws:RequestTag/team": "net"}})
    client = site.caller("ec2", tagged)
    request = {"GroupName": site.name("g"), "Description": "d", "VpcId": vpc}
    assert refusal(client.create_security_group, **request)[1] == "UnauthorizedOperation"
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "team", "Value": "net"}]}]
    group = client.create_security_group(**request, TagSpecifications=tags)["GroupId"]
    untagging = site.caller("ec2", allow("ec2:CreateSecurityGroup"))
    again = {**request, "GroupName": site.name("g")}
    assert refusal(untagging.create_security_group, **again, TagSpecifications=tags)[2].endswith(
        "because no identity-based policy allows the ec2:CreateTags action"
    )
    ours = allow("ec2:DeleteSecurityGroup", Condition={"StringEquals": {"aws:ResourceTag/team": "net"}})
    elsewhere = deny("ec2:*", Condition={"ArnNotEquals": {"ec2:Vpc": arn("vpc", vpc)}})
    other = root.create_security_group(**again)["GroupId"]
    deleting = site.caller("ec2", ours, elsewhere)
    assert refusal(deleting.delete_security_group, GroupId=other)[1] == "UnauthorizedOperation"
    deleting.delete_security_group(GroupId=group)


def test_a_range_of_a_vpc_stands_for_the_vpc(site: Site, root: Any, vpc: str) -> None:
    other = root.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    client = site.caller("ec2", allow("ec2:*"), deny("ec2:DisassociateVpcCidrBlock", arn("vpc", vpc)))
    for wanted in ({"CidrBlock": "10.1.0.0/16"}, {"AmazonProvidedIpv6CidrBlock": True}):
        ids = []
        for owner in (vpc, other):
            made = root.associate_vpc_cidr_block(VpcId=owner, **wanted)
            held = made.get("CidrBlockAssociation") or made["Ipv6CidrBlockAssociation"]
            ids.append(held["AssociationId"])
        assert refusal(client.disassociate_vpc_cidr_block, AssociationId=ids[0])[1] == "UnauthorizedOperation"
        client.disassociate_vpc_cidr_block(AssociationId=ids[1])


def test_requests_that_cannot_be_believed_are_refused_in_ec2s_words(site: Site) -> None:
    key, _, _ = site.user()
    for keys in ((key, "wrong"), ("AKIAAAAAAAAAAAAAAAAA", "wrong")):
        assert refusal(site.client("ec2", keys).describe_vpcs)[:2] == (401, "AuthFailure")


def create(client: Any, name: str, role: str, vpc: dict[str, Any]) -> Any:
    return client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role, VpcConfig=vpc,
        Code={"ZipFile": package({"app.py": QUIET})},
    )  # fmt: skip


@pytest.fixture
def config(root: Any, vpc: str) -> dict[str, Any]:
    subnet = root.create_subnet(VpcId=vpc, CidrBlock="10.0.7.0/24")["Subnet"]["SubnetId"]
    group = root.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]
    return {"SubnetIds": [subnet], "SecurityGroupIds": [group["GroupId"]]}


def test_an_attached_function_s_role_may_make_interfaces(site: Site, config: dict[str, Any]) -> None:
    role = site.role()
    refused = refusal(create, client=site.lambda_, name=site.name("x"), role=role, vpc=config)
    assert refused == (
        400, "InvalidParameterValueException",
        "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
    )  # fmt: skip
    site.iam.attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=VPC_ACCESS)
    assert create(site.lambda_, site.name("x"), role, config)["VpcConfig"]["SubnetIds"] == config["SubnetIds"]


def test_networks_are_conditions_of_lambda(site: Site, config: dict[str, Any], vpc: str) -> None:
    role = site.role(allow("ec2:*"))
    passing, everything = allow("iam:PassRole", role), allow("lambda:*")
    for key, here in (("VpcIds", vpc), ("SubnetIds", config["SubnetIds"][0]),
                      ("SecurityGroupIds", config["SecurityGroupIds"][0])):  # fmt: skip
        elsewhere = deny(
            "lambda:CreateFunction", Condition={"ForAnyValue:StringNotEquals": {f"lambda:{key}": ["vpc-other"]}}
        )
        client = site.caller("lambda", everything, passing, elsewhere)
        assert refusal(create, client=client, name=site.name("x"), role=role, vpc=config)[0] == 403, key
        only_here = deny("lambda:CreateFunction", Condition={"ForAnyValue:StringNotEquals": {f"lambda:{key}": [here]}})
        create(site.caller("lambda", everything, passing, only_here), site.name("x"), role, config)
