"""Security groups and their rules, with boto3 as the user."""

from __future__ import annotations

import pytest

from served import refusal

WEB = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def only(answer, member):
    (found,) = answer[member]
    return found


def tcp(port, **peers):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peers}


def from_cidr(cidr, **more):
    return {"IpRanges": [{"CidrIp": cidr, **more}]}


def rules_of(ec2, group, *, egress):
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return [rule for rule in found if rule["IsEgress"] == egress]


def test_a_new_group_lets_everything_out_and_nothing_in(ec2, vpc, group, account):
    found = only(ec2.describe_security_groups(GroupIds=[group]), "SecurityGroups")
    assert found["SecurityGroupArn"] == f"arn:aws:ec2:us-east-1:{account}:security-group/{group}"
    assert (found["IpPermissions"], found["VpcId"], found["Description"]) == ([], vpc, "of a test")
    assert found["IpPermissionsEgress"] == [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "PrefixListIds": [],
         "UserIdGroupPairs": []}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"GroupName": "own"}, "InvalidGroup.Duplicate"),
        ({"GroupName": "default"}, "InvalidGroup.Reserved"),
        ({"GroupName": "sg-1"}, "InvalidParameterValue"),
        ({"GroupName": "x" * 256}, "InvalidParameterValue"),
        ({"GroupName": "schön"}, "InvalidParameterValue"),
        ({"GroupName": "g", "Description": "schön"}, "InvalidParameterValue"),
        ({"GroupName": "g", "Description": ""}, "InvalidParameterValue"),
    ],
)
def test_a_group_that_cannot_be_is_refused(ec2, vpc, group, params, code):
    assert refusal(ec2.create_security_group, VpcId=vpc, **{"Description": "d", **params})[:2] == (400, code)


def test_rules_of_every_kind_are_added_shown_and_removed(ec2, vpc, group):
    other = ec2.create_security_group(VpcId=vpc, GroupName="other", Description="d")["GroupId"]
    listed = ec2.create_managed_prefix_list(PrefixListName="n", MaxEntries=2, AddressFamily="IPv4")["PrefixList"]
    permissions = [
        {**WEB, "IpRanges": [{"CidrIp": "10.1.2.3/8", "Description": "ours"}, {"CidrIp": "192.0.2.7/32"}]},
        {**WEB, "Ipv6Ranges": [{"CidrIpv6": "2001:DB8::/32"}]},
        {**WEB, "UserIdGroupPairs": [{"GroupId": other}]},
        {**WEB, "PrefixListIds": [{"PrefixListId": listed["PrefixListId"]}]},
        {"IpProtocol": "udp", "FromPort": 1000, "ToPort": 2000, **from_cidr("0.0.0.0/0")},
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, **from_cidr("0.0.0.0/0")},
        {"IpProtocol": "icmpv6", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        {"IpProtocol": "47", **from_cidr("0.0.0.0/0")},
        {"IpProtocol": "-1", **from_cidr("10.9.0.0/16")},
    ]
    answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    assert answer["Return"]
    made = answer["SecurityGroupRules"]
    assert len(made) == 10
    assert made[0]["CidrIpv4"] == "10.0.0.0/8"
    assert made[0]["Description"] == "ours"
    assert made[2]["CidrIpv6"] == "2001:db8::/32"
    assert made[3]["ReferencedGroupInfo"]["GroupId"] == other
    assert [(rule["FromPort"], rule["ToPort"]) for rule in made[6:]] == [(8, -1), (-1, -1), (-1, -1), (-1, -1)]
    found = only(ec2.describe_security_groups(GroupIds=[group]), "SecurityGroups")["IpPermissions"]
    web = next(permission for permission in found if permission.get("FromPort") == 443)
    assert [peer["CidrIp"] for peer in web["IpRanges"]] == ["10.0.0.0/8", "192.0.2.7/32"]
    assert web["UserIdGroupPairs"][0]["GroupId"] == other
    assert web["PrefixListIds"] == [{"PrefixListId": listed["PrefixListId"]}]
    # What DescribeSecurityGroups shows can be revoked as it is.
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found)
    assert rules_of(ec2, group, egress=False) == []


def test_older_parameters_name_one_rule(ec2, group):
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")
    (rule,) = rules_of(ec2, group, egress=False)
    assert (rule["CidrIpv4"], rule["FromPort"]) == ("10.0.0.0/8", 22)
    gone = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    assert gone["RevokedSecurityGroupRules"][0]["SecurityGroupRuleId"] == rule["SecurityGroupRuleId"]
    assert rules_of(ec2, group, egress=False) == []


def test_groups_of_the_default_vpc_have_names(ec2):
    ec2.create_security_group(GroupName="named", Description="d")
    ec2.authorize_security_group_ingress(GroupName="named", SourceSecurityGroupName="default")
    found = only(ec2.describe_security_groups(GroupNames=["named"]), "SecurityGroups")
    assert len(found["IpPermissions"][0]["UserIdGroupPairs"]) == 1
    assert refusal(ec2.describe_security_groups, GroupNames=["nobody"])[1] == "InvalidGroup.NotFound"
    ec2.delete_security_group(GroupName="named")
    default = only(ec2.describe_security_groups(), "SecurityGroups")["GroupId"]
    assert refusal(ec2.delete_security_group, GroupId=default)[1] == "CannotDelete"


def test_a_rule_is_there_once(ec2, group):
    permission = [tcp(80, **from_cidr("10.0.0.0/8", Description="a"))]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=permission)
    again = [tcp(80, **from_cidr("10.1.0.0/8", Description="b"))]
    assert refusal(ec2.authorize_security_group_egress, GroupId=group, IpPermissions=again)[1:] == (
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" already exists',
    )
    twice = [tcp(81, **from_cidr("10.0.0.0/8")), tcp(81, **from_cidr("10.0.0.0/8"))]
    assert refusal(ec2.authorize_security_group_egress, GroupId=group, IpPermissions=twice)[1:] == (
        "InvalidParameterValue", "The same permission must not appear multiple times",
    )  # fmt: skip
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=again)
    assert refusal(ec2.revoke_security_group_egress, GroupId=group, IpPermissions=again)[1:] == (
        "InvalidPermission.NotFound", "The specified rule does not exist in this security group.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        ({"IpProtocol": "tcp", **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 90, "ToPort": 80, **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65536, **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": 3, **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({"IpProtocol": "icmp", "FromPort": 256, "ToPort": 3, **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({"IpProtocol": "smoke", **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({"IpProtocol": "256", **from_cidr("10.0.0.0/8")}, "InvalidParameterValue"),
        ({**WEB, **from_cidr("10.0.0.0")}, "InvalidParameterValue"),
        ({**WEB, **from_cidr("10.0.0.0/8", Description="<odd>")}, "InvalidParameterValue"),
        ({**WEB, "Ipv6Ranges": [{"CidrIpv6": "10.0.0.0/8"}]}, "InvalidParameterValue"),
        ({**WEB, "UserIdGroupPairs": [{"GroupId": "sg-00000000"}]}, "InvalidGroup.NotFound"),
        ({**WEB, "UserIdGroupPairs": [{"GroupId": "sg-x"}]}, "InvalidGroupId.Malformed"),
        ({**WEB, "PrefixListIds": [{"PrefixListId": "pl-00000000"}]}, "InvalidPrefixListID.NotFound"),
        ({**WEB}, "MissingParameter"),
        (from_cidr("10.0.0.0/8"), "MissingParameter"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(ec2, group, permission, code):
    before = rules_of(ec2, group, egress=True)
    call = ec2.authorize_security_group_egress
    assert refusal(call, GroupId=group, IpPermissions=[permission])[:2] == (400, code)
    assert rules_of(ec2, group, egress=True) == before


def test_a_rule_names_groups_of_its_own_vpc_only(ec2, group):
    default = only(ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}]), "Vpcs")["VpcId"]
    elsewhere = ec2.create_security_group(VpcId=default, GroupName="far", Description="d")["GroupId"]
    permission = [{**WEB, "UserIdGroupPairs": [{"GroupId": elsewhere}]}]
    call = ec2.authorize_security_group_ingress
    assert refusal(call, GroupId=group, IpPermissions=permission)[1] == "InvalidGroup.NotFound"


def test_a_group_that_another_names_stays(ec2, vpc, group):
    other = ec2.create_security_group(VpcId=vpc, GroupName="other", Description="d")["GroupId"]
    for member in (other, group):
        permission = [{**WEB, "UserIdGroupPairs": [{"GroupId": member}]}]
        ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=permission)
    assert refusal(ec2.delete_security_group, GroupId=group)[1] == "DependencyViolation"
    # Naming itself holds nobody back.
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=group)


def test_rules_are_modified_in_their_place(ec2, vpc, group):
    rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, **from_cidr("10.0.0.0/8"))])
    identifier = rule["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    wanted = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIpv6": "fd00::/8", "Description": "names"}
    change = [{"SecurityGroupRuleId": identifier, "SecurityGroupRule": wanted}]
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=change)
    (found,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[identifier])["SecurityGroupRules"]
    assert (found["IpProtocol"], found["CidrIpv6"], found["IsEgress"]) == ("udp", "fd00::/8", False)
    assert "CidrIpv4" not in found
    second = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, **from_cidr("10.0.0.0/8"))])
    same = [
        {"SecurityGroupRuleId": second["SecurityGroupRules"][0]["SecurityGroupRuleId"], "SecurityGroupRule": wanted}
    ]
    call = ec2.modify_security_group_rules
    assert refusal(call, GroupId=group, SecurityGroupRules=same)[1] == "InvalidPermission.Duplicate"
    absent = [{"SecurityGroupRuleId": "sgr-00000000", "SecurityGroupRule": wanted}]
    assert refusal(call, GroupId=group, SecurityGroupRules=absent)[1] == "InvalidSecurityGroupRuleId.NotFound"


def test_descriptions_of_rules_are_updated(ec2, group):
    permission = tcp(80, **from_cidr("10.0.0.0/8", Description="before"))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    after = [tcp(80, **from_cidr("10.0.0.0/8", Description="after"))]
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=after)
    (rule,) = rules_of(ec2, group, egress=False)
    assert rule["Description"] == "after"
    (out,) = rules_of(ec2, group, egress=True)
    given = [{"SecurityGroupRuleId": out["SecurityGroupRuleId"], "Description": "everything"}]
    ec2.update_security_group_rule_descriptions_egress(GroupId=group, SecurityGroupRuleDescriptions=given)
    assert rules_of(ec2, group, egress=True)[0]["Description"] == "everything"
    absent = [tcp(81, **from_cidr("10.0.0.0/8"))]
    call = ec2.update_security_group_rule_descriptions_ingress
    assert refusal(call, GroupId=group, IpPermissions=absent)[1] == "InvalidPermission.NotFound"


def test_rules_have_tags(ec2, group):
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "for", "Value": "web"}]}]
    permission = [tcp(80, **from_cidr("10.0.0.0/8"))]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission, TagSpecifications=tags)
    tagged = ec2.describe_security_group_rules(Filters=[{"Name": "tag:for", "Values": ["web"]}])
    assert only(tagged, "SecurityGroupRules")["Tags"] == [{"Key": "for", "Value": "web"}]


def test_groups_are_found_by_their_rules(ec2, vpc, group):
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(8080, **from_cidr("10.77.0.0/16"))])

    def found(name, value):
        groups = ec2.describe_security_groups(Filters=[{"Name": name, "Values": [value]}])["SecurityGroups"]
        return group in [held["GroupId"] for held in groups]

    assert found("ip-permission.cidr", "10.77.*")
    assert found("ip-permission.from-port", "8080")
    assert found("egress.ip-permission.protocol", "-1")
    assert not found("ip-permission.protocol", "udp")
    for_vpc = ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert {held["GroupName"] for held in for_vpc} == {"own", "default"}
    assert ec2.describe_security_group_references(GroupId=[group])["SecurityGroupReferenceSet"] == []
