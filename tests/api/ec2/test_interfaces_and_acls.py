"""Network interfaces, network ACLs and prefix lists, with boto3 as the user."""

from __future__ import annotations

import pytest

from served import refusal


def only(answer, member):
    (found,) = answer[member]
    return found


def shown(ec2, identifier):
    return only(ec2.describe_network_interfaces(NetworkInterfaceIds=[identifier]), "NetworkInterfaces")


@pytest.fixture
def interface(ec2, subnet, group):
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group], Description="first")["NetworkInterface"]
    assert made["Status"] == "pending"
    return made["NetworkInterfaceId"]


def test_an_interface_has_the_lowest_address_that_is_free(ec2, vpc, subnet, group, interface, account):
    found = shown(ec2, interface)
    assert (found["PrivateIpAddress"], found["Status"], found["VpcId"]) == ("10.0.1.4", "available", vpc)
    assert found["Groups"] == [{"GroupId": group, "GroupName": "own"}]
    assert (found["PrivateDnsName"], found["OwnerId"]) == ("ip-10-0-1-4.ec2.internal", account)
    assert (found["RequesterManaged"], found["InterfaceType"], found["SourceDestCheck"]) == (False, "interface", True)
    assert len(found["MacAddress"].split(":")) == 6
    ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[interface])
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    assert second["PrivateIpAddress"] == "10.0.1.5"
    assert second["Groups"][0]["GroupName"] == "default"
    assert only(ec2.describe_subnets(SubnetIds=[subnet]), "Subnets")["AvailableIpAddressCount"] == 249
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    assert ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["PrivateIpAddress"] == "10.0.1.4"
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=interface)[1:] == (
        "InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{interface}' does not exist",
    )  # fmt: skip


def test_a_subnet_runs_out_of_addresses(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/28")["Subnet"]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet, SecondaryPrivateIpAddressCount=10)["NetworkInterface"]
    assert len(made["PrivateIpAddresses"]) == 11
    assert only(ec2.describe_subnets(SubnetIds=[subnet]), "Subnets")["AvailableIpAddressCount"] == 0
    assert refusal(ec2.create_network_interface, SubnetId=subnet)[1] == "InsufficientFreeAddressesInSubnet"
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=made["NetworkInterfaceId"], PrivateIpAddresses=["10.0.9.14"])
    assert ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["PrivateIpAddress"] == "10.0.9.14"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"PrivateIpAddress": "10.0.1.3"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.1.255"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.2.9"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "x"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.1.4"}, "InvalidIPAddress.InUse"),
        ({"SecondaryPrivateIpAddressCount": 50}, "PrivateIpAddressLimitExceeded"),
        ({"SecondaryPrivateIpAddressCount": -1}, "InvalidParameterValue"),
        ({"Groups": ["sg-00000000"]}, "InvalidGroup.NotFound"),
        ({"Ipv6AddressCount": 1}, "InvalidParameterValue"),
        ({"Description": "x" * 256}, "InvalidParameterValue"),
        ({"InterfaceType": "efa"}, "InvalidParameterValue"),
    ],
)
def test_an_interface_that_cannot_be_is_refused(ec2, subnet, interface, params, code):
    assert refusal(ec2.create_network_interface, SubnetId=subnet, **params)[:2] == (400, code)


def test_attributes_of_an_interface_are_changed_one_at_a_time(ec2, vpc, interface, group):
    other = ec2.create_security_group(VpcId=vpc, GroupName="other", Description="d")["GroupId"]
    change = {"NetworkInterfaceId": interface}
    ec2.modify_network_interface_attribute(**change, Groups=[other, group])
    ec2.modify_network_interface_attribute(**change, Description={"Value": "second"})
    ec2.modify_network_interface_attribute(**change, SourceDestCheck={"Value": False})
    found = shown(ec2, interface)
    assert [held["GroupId"] for held in found["Groups"]] == [other, group]
    assert (found["Description"], found["SourceDestCheck"]) == ("second", False)
    ec2.reset_network_interface_attribute(**change)
    described = ec2.describe_network_interface_attribute(**change, Attribute="sourceDestCheck")
    assert described["SourceDestCheck"] == {"Value": True}
    assert ec2.describe_network_interface_attribute(**change, Attribute="groupSet")["Groups"] == found["Groups"]
    modify = ec2.modify_network_interface_attribute
    assert refusal(modify, **change)[1] == "MissingParameter"
    both = {"Description": {"Value": "x"}, "SourceDestCheck": {"Value": True}}
    assert refusal(modify, **change, **both)[1] == "InvalidParameterCombination"
    default = only(ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}]), "Vpcs")["VpcId"]
    far = ec2.create_security_group(VpcId=default, GroupName="far", Description="d")["GroupId"]
    assert refusal(modify, **change, Groups=[far])[1] == "InvalidParameterValue"


def test_addresses_come_and_go(ec2, interface):
    change = {"NetworkInterfaceId": interface}
    assigned = ec2.assign_private_ip_addresses(**change, SecondaryPrivateIpAddressCount=2)
    assert [held["PrivateIpAddress"] for held in assigned["AssignedPrivateIpAddresses"]] == ["10.0.1.5", "10.0.1.6"]
    ec2.assign_private_ip_addresses(**change, PrivateIpAddresses=["10.0.1.99"])
    found = shown(ec2, interface)["PrivateIpAddresses"]
    assert [(held["PrivateIpAddress"], held["Primary"]) for held in found] == [
        ("10.0.1.4", True), ("10.0.1.5", False), ("10.0.1.6", False), ("10.0.1.99", False)
    ]  # fmt: skip
    ec2.unassign_private_ip_addresses(**change, PrivateIpAddresses=["10.0.1.5", "10.0.1.99"])
    remove = ec2.unassign_private_ip_addresses
    assert refusal(remove, **change, PrivateIpAddresses=["10.0.1.4"])[1] == "InvalidParameterValue"
    assert refusal(ec2.assign_private_ip_addresses, **change)[1] == "InvalidParameterCombination"


def test_interfaces_are_found_by_what_they_have(ec2, subnet, group, interface):
    for name, value in (("group-id", group), ("subnet-id", subnet), ("addresses.private-ip-address", "10.0.1.?"),
                        ("description", "fi*"), ("status", "available"), ("group-name", "own"),
                        ("availability-zone", "us-east-1a"), ("requester-managed", "false")):  # fmt: skip
        found = ec2.describe_network_interfaces(Filters=[{"Name": name, "Values": [value, "nothing"]}])
        assert [held["NetworkInterfaceId"] for held in found["NetworkInterfaces"]] == [interface], name


# --- network ACLs ---------------------------------------------------------------------------------------------------


def test_an_acl_refuses_everything_until_it_has_entries(ec2, vpc, subnet):
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]
    identifier = acl["NetworkAclId"]
    assert [(entry["RuleNumber"], entry["RuleAction"]) for entry in acl["Entries"]] == [(32767, "deny")] * 2
    base = {"NetworkAclId": identifier, "RuleNumber": 100, "Egress": True}
    ec2.create_network_acl_entry(
        **base, Protocol="6", RuleAction="allow", CidrBlock="10.0.0.7/8", PortRange={"From": 80, "To": 90}
    )
    ec2.create_network_acl_entry(
        NetworkAclId=identifier, RuleNumber=50, Egress=False, Protocol="icmp", RuleAction="deny",
        CidrBlock="0.0.0.0/0", IcmpTypeCode={"Type": -1, "Code": -1},
    )  # fmt: skip
    found = only(ec2.describe_network_acls(NetworkAclIds=[identifier]), "NetworkAcls")
    assert found["Entries"][0] == {
        "RuleNumber": 100, "Egress": True, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8",
        "PortRange": {"From": 80, "To": 90},
    }  # fmt: skip
    for port, wanted in (("80", [identifier]), ("-1", [])):  # an entry for ICMP has no ports
        ports = [{"Name": "entry.port-range.from", "Values": [port]}]
        assert [acl["NetworkAclId"] for acl in ec2.describe_network_acls(Filters=ports)["NetworkAcls"]] == wanted
    again = {**base, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
    assert refusal(ec2.create_network_acl_entry, **again)[1] == "NetworkAclEntryAlreadyExists"
    ec2.replace_network_acl_entry(**again)
    ec2.delete_network_acl_entry(NetworkAclId=identifier, RuleNumber=50, Egress=False)
    assert refusal(ec2.delete_network_acl_entry, NetworkAclId=identifier, RuleNumber=50, Egress=False)[1] == (
        "InvalidNetworkAclEntry.NotFound"
    )
    found = only(ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                 {"Name": "default", "Values": ["true"]}]), "NetworkAcls")  # fmt: skip
    held = only(found, "Associations")["NetworkAclAssociationId"]
    moved = ec2.replace_network_acl_association(AssociationId=held, NetworkAclId=identifier)["NewAssociationId"]
    assert moved != held
    assert refusal(ec2.delete_network_acl, NetworkAclId=identifier)[1] == "DependencyViolation"
    assert refusal(ec2.delete_network_acl, NetworkAclId=found["NetworkAclId"])[1] == "InvalidParameterValue"
    ec2.replace_network_acl_association(AssociationId=moved, NetworkAclId=found["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=identifier)
    assert refusal(ec2.delete_network_acl, NetworkAclId=identifier)[1] == "InvalidNetworkAclID.NotFound"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"RuleNumber": 0}, "InvalidParameterValue"),
        ({"RuleNumber": 32767}, "InvalidParameterValue"),
        ({"Protocol": "smoke"}, "InvalidParameterValue"),
        ({"Protocol": "6"}, "MissingParameter"),
        ({"Protocol": "6", "PortRange": {"From": 9, "To": 8}}, "InvalidParameterValue"),
        ({"Protocol": "1"}, "MissingParameter"),
        ({"CidrBlock": "10"}, "InvalidParameterValue"),
        ({"Ipv6CidrBlock": "::/0"}, "InvalidParameterCombination"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(ec2, vpc, params, code):
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    base = {"NetworkAclId": acl, "RuleNumber": 1, "Egress": True, "Protocol": "-1", "RuleAction": "allow",
            "CidrBlock": "0.0.0.0/0"}  # fmt: skip
    assert refusal(ec2.create_network_acl_entry, **{**base, **params})[:2] == (400, code)


# --- prefix lists ---------------------------------------------------------------------------------------------------


def test_prefix_lists_have_versions(ec2, group):
    entries = [{"Cidr": "10.1.0.0/16", "Description": "one"}]
    made = ec2.create_managed_prefix_list(PrefixListName="ours", MaxEntries=3, AddressFamily="IPv4", Entries=entries)[
        "PrefixList"
    ]
    identifier = made["PrefixListId"]
    assert (made["State"], made["Version"]) == ("create-in-progress", 1)
    changed = ec2.modify_managed_prefix_list(
        PrefixListId=identifier, CurrentVersion=1, AddEntries=[{"Cidr": "10.2.0.0/16"}],
        RemoveEntries=[{"Cidr": "10.1.0.0/16"}],
    )["PrefixList"]  # fmt: skip
    assert (changed["Version"], changed["State"]) == (2, "modify-in-progress")
    shown = only(ec2.describe_managed_prefix_lists(PrefixListIds=[identifier]), "PrefixLists")
    assert shown["State"] == "modify-complete"
    assert ec2.get_managed_prefix_list_entries(PrefixListId=identifier)["Entries"] == [{"Cidr": "10.2.0.0/16"}]
    assert ec2.get_managed_prefix_list_entries(PrefixListId=identifier, TargetVersion=1)["Entries"] == entries
    modify = ec2.modify_managed_prefix_list
    stale = {"PrefixListId": identifier, "CurrentVersion": 1, "AddEntries": [{"Cidr": "10.3.0.0/16"}]}
    assert refusal(modify, **stale)[1] == "PrefixListVersionMismatch"
    ec2.restore_managed_prefix_list_version(PrefixListId=identifier, PreviousVersion=1, CurrentVersion=2)
    assert ec2.get_managed_prefix_list_entries(PrefixListId=identifier)["Entries"] == entries
    too_many = [{"Cidr": f"10.{number}.0.0/16"} for number in range(5, 9)]
    full = {"PrefixListId": identifier, "CurrentVersion": 3, "AddEntries": too_many}
    assert refusal(modify, **full)[1] == "PrefixListMaxEntriesExceeded"
    peer = [{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": identifier}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=peer)
    used = ec2.get_managed_prefix_list_associations(PrefixListId=identifier)["PrefixListAssociations"]
    assert [held["ResourceId"] for held in used] == [group]
    assert refusal(ec2.delete_managed_prefix_list, PrefixListId=identifier)[1] == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=peer)
    ec2.delete_managed_prefix_list(PrefixListId=identifier)
    assert refusal(ec2.delete_managed_prefix_list, PrefixListId=identifier)[1] == "InvalidPrefixListID.NotFound"


def test_the_lists_of_aws_are_known_and_empty(ec2, account):
    known = ec2.describe_prefix_lists()["PrefixLists"]
    assert {held["PrefixListName"] for held in known} == {
        "com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"
    }  # fmt: skip
    managed = ec2.describe_managed_prefix_lists()["PrefixLists"]
    assert {held["OwnerId"] for held in managed} == {"AWS"}
    assert ec2.get_managed_prefix_list_entries(PrefixListId=known[0]["PrefixListId"])["Entries"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"AddressFamily": "IPv5"}, "InvalidParameterValue"),
        ({"MaxEntries": 0}, "InvalidParameterValue"),
        ({"PrefixListName": "com.amazonaws.x"}, "InvalidParameterValue"),
        ({"Entries": [{"Cidr": "::/0"}]}, "InvalidParameterValue"),
        ({"Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "10.0.0.1/8"}]}, "InvalidParameterValue"),
        ({"Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "11.0.0.0/8"}]}, "PrefixListMaxEntriesExceeded"),
    ],
)
def test_a_prefix_list_that_cannot_be_is_refused(ec2, params, code):
    base = {"PrefixListName": "n", "MaxEntries": 1, "AddressFamily": "IPv4"}
    assert refusal(ec2.create_managed_prefix_list, **{**base, **params})[:2] == (400, code)
