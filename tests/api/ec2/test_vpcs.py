"""VPCs, subnets and the default network, with boto3 as the user."""

from __future__ import annotations

from ipaddress import IPv6Network

import pytest

from served import plain, refusal


def only(answer, member):
    (found,) = answer[member]
    return found


def test_an_account_has_a_default_network_in_every_region(ec2, server, account):
    vpc = only(ec2.describe_vpcs(), "Vpcs")
    assert (vpc["CidrBlock"], vpc["IsDefault"], vpc["State"], vpc["OwnerId"]) == (
        "172.31.0.0/16", True, "available", account
    )  # fmt: skip
    subnets = ec2.describe_subnets()["Subnets"]
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {f"us-east-1{letter}" for letter in "abcdef"}
    assert all(subnet["DefaultForAz"] and subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert {subnet["AvailableIpAddressCount"] for subnet in subnets} == {4091}
    assert {subnet["CidrBlock"] for subnet in subnets} == {f"172.31.{number * 16}.0/20" for number in range(6)}
    gateway = only(ec2.describe_internet_gateways(), "InternetGateways")
    assert gateway["Attachments"] == [{"State": "available", "VpcId": vpc["VpcId"]}]
    table = only(ec2.describe_route_tables(), "RouteTables")
    assert [route["GatewayId"] for route in table["Routes"]] == ["local", gateway["InternetGatewayId"]]
    assert only(ec2.describe_security_groups(), "SecurityGroups")["GroupName"] == "default"
    acl = only(ec2.describe_network_acls(), "NetworkAcls")
    assert len(acl["Associations"]) == 6
    options = only(ec2.describe_dhcp_options(), "DhcpOptions")
    assert options["DhcpOptionsId"] == vpc["DhcpOptionsId"]
    elsewhere = server.client("ec2", region="eu-central-1", account=account)
    other = only(elsewhere.describe_vpcs(), "Vpcs")
    assert other["VpcId"] != vpc["VpcId"]
    assert len(elsewhere.describe_subnets()["Subnets"]) == 3
    assert refusal(elsewhere.describe_vpcs, VpcIds=[vpc["VpcId"]])[1] == "InvalidVpcID.NotFound"


def test_a_default_vpc_that_was_deleted_does_not_come_back_by_itself(ec2):
    vpc = only(ec2.describe_vpcs(), "Vpcs")["VpcId"]
    assert refusal(ec2.delete_vpc, VpcId=vpc)[1:] == (
        "DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted."
    )  # fmt: skip
    gateway = only(ec2.describe_internet_gateways(), "InternetGateways")["InternetGatewayId"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    assert ec2.describe_vpcs()["Vpcs"] == []
    assert ec2.describe_security_groups()["SecurityGroups"] == []
    assert refusal(ec2.create_security_group, GroupName="g", Description="d")[1] == "VPCIdNotSpecified"
    assert refusal(ec2.create_default_subnet, AvailabilityZone="us-east-1a")[1] == "DefaultVpcDoesNotExist"
    made = ec2.create_default_vpc()["Vpc"]
    assert made["IsDefault"]
    assert len(ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]) == 6
    assert refusal(ec2.create_default_vpc)[1] == "DefaultVpcAlreadyExists"
    assert refusal(ec2.create_default_subnet, AvailabilityZone="us-east-1a")[1].startswith("DefaultSubnetAlready")


def test_a_default_subnet_takes_the_lowest_range_that_is_free(ec2):
    second = only(ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": ["us-east-1b"]}]), "Subnets")
    ec2.delete_subnet(SubnetId=second["SubnetId"])
    made = ec2.create_default_subnet(AvailabilityZone="us-east-1b")["Subnet"]
    assert (made["CidrBlock"], made["DefaultForAz"]) == (second["CidrBlock"], True)


def test_a_vpc_comes_with_a_table_an_acl_and_a_group_and_takes_them_along(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.1.2.3/16", InstanceTenancy="dedicated")["Vpc"]
    assert (vpc["State"], vpc["CidrBlock"], vpc["IsDefault"], vpc["InstanceTenancy"]) == (
        "pending", "10.1.0.0/16", False, "dedicated"
    )  # fmt: skip
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc["VpcId"]])
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    table = only(ec2.describe_route_tables(Filters=within), "RouteTables")
    assert [association["Main"] for association in table["Associations"]] == [True]
    assert only(ec2.describe_network_acls(Filters=within), "NetworkAcls")["IsDefault"]
    group = only(ec2.describe_security_groups(Filters=within), "SecurityGroups")
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    ec2.modify_vpc_tenancy(VpcId=vpc["VpcId"], InstanceTenancy="default")
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    for describe, member in ((ec2.describe_route_tables, "RouteTables"), (ec2.describe_network_acls, "NetworkAcls"),
                             (ec2.describe_security_groups, "SecurityGroups")):  # fmt: skip
        assert describe(Filters=within)[member] == []
    assert refusal(ec2.delete_vpc, VpcId=vpc["VpcId"])[:2] == (400, "InvalidVpcID.NotFound")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "MissingParameter"),
        ({"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"),
        ({"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range"),
        ({"CidrBlock": "10.0.0.0"}, "InvalidParameterValue"),
        ({"CidrBlock": "ten"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "odd"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"ResourceType": "subnet"}]}, "InvalidParameterValue"),
    ],
)
def test_a_vpc_that_cannot_be_is_refused(raw_ec2, params, code):
    assert refusal(raw_ec2.create_vpc, **params)[:2] == (400, code)


def test_attributes_of_a_vpc_are_changed_one_at_a_time(ec2, raw_ec2, vpc):
    def value(attribute):
        found = plain(ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute))
        assert found.pop("VpcId") == vpc
        return next(iter(found.values()))["Value"]

    assert (value("enableDnsSupport"), value("enableDnsHostnames")) == (True, False)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableNetworkAddressUsageMetrics={"Value": True})
    assert (value("enableDnsSupport"), value("enableDnsHostnames")) == (False, True)
    assert value("enableNetworkAddressUsageMetrics") is True
    both = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
    assert refusal(ec2.modify_vpc_attribute, VpcId=vpc, **both)[1] == "InvalidParameterCombination"
    assert refusal(ec2.modify_vpc_attribute, VpcId=vpc)[1] == "MissingParameter"
    assert refusal(raw_ec2.describe_vpc_attribute, VpcId=vpc)[1] == "MissingParameter"


def test_a_vpc_can_have_more_ranges(ec2, vpc):
    added = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.9.0.0/16")["CidrBlockAssociation"]
    assert added["CidrBlockState"]["State"] == "associating"
    assert refusal(ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.9.128.0/20")[1] == "InvalidVpc.Range"
    table = only(ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}]), "RouteTables")
    assert {route["DestinationCidrBlock"] for route in table["Routes"]} == {"10.0.0.0/16", "10.9.0.0/16"}
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    held = added["AssociationId"]
    assert refusal(ec2.disassociate_vpc_cidr_block, AssociationId=held)[1] == "DependencyViolation"
    ec2.delete_subnet(SubnetId=subnet)
    gone = ec2.disassociate_vpc_cidr_block(AssociationId=held)
    assert gone["CidrBlockAssociation"]["CidrBlockState"]["State"] == "disassociating"
    first = only(ec2.describe_vpcs(VpcIds=[vpc]), "Vpcs")["CidrBlockAssociationSet"][0]["AssociationId"]
    assert refusal(ec2.disassociate_vpc_cidr_block, AssociationId=first)[1] == "OperationNotPermitted"
    missing = refusal(ec2.disassociate_vpc_cidr_block, AssociationId=held)
    assert missing[1] == "InvalidVpcCidrBlockAssociationID.NotFound"


def test_ipv6_is_given_to_a_vpc_and_taken_by_its_subnets(ec2, vpc, subnet):
    ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    held = only(only(ec2.describe_vpcs(VpcIds=[vpc]), "Vpcs"), "Ipv6CidrBlockAssociationSet")
    network = IPv6Network(held["Ipv6CidrBlock"])
    assert network.prefixlen == 56
    assert (held["Ipv6Pool"], held["NetworkBorderGroup"]) == ("Amazon", "us-east-1")
    first, second = list(network.subnets(new_prefix=64))[:2]
    made = ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=str(first))["Ipv6CidrBlockAssociation"]
    other = {"VpcId": vpc, "CidrBlock": "10.0.2.0/24"}
    assert refusal(ec2.create_subnet, **other, Ipv6CidrBlock=str(first))[1] == "InvalidSubnet.Conflict"
    assert refusal(ec2.create_subnet, **other, Ipv6CidrBlock="fd00::/64")[1] == "InvalidSubnet.Range"
    both = ec2.create_subnet(**other, Ipv6CidrBlock=str(second))["Subnet"]
    assert only(both, "Ipv6CidrBlockAssociationSet")["Ipv6CidrBlock"] == str(second)
    ec2.modify_subnet_attribute(SubnetId=both["SubnetId"], AssignIpv6AddressOnCreation={"Value": True})
    interface = ec2.create_network_interface(SubnetId=both["SubnetId"])["NetworkInterface"]
    assert only(interface, "Ipv6Addresses")["Ipv6Address"] == str(second[4])
    held_of = only(both, "Ipv6CidrBlockAssociationSet")["AssociationId"]
    assert refusal(ec2.disassociate_subnet_cidr_block, AssociationId=held_of)[1] == "DependencyViolation"
    assert refusal(ec2.disassociate_vpc_cidr_block, AssociationId=held["AssociationId"])[1] == "DependencyViolation"
    ec2.disassociate_subnet_cidr_block(AssociationId=made["AssociationId"])
    assert only(ec2.describe_subnets(SubnetIds=[subnet]), "Subnets")["Ipv6CidrBlockAssociationSet"] == []
    with_both = ec2.create_vpc(CidrBlock="10.8.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    table = only(ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [with_both["VpcId"]]}]), "RouteTables")
    assert len(table["Routes"]) == 2


# --- subnets --------------------------------------------------------------------------------------------------------


def test_a_subnet_is_a_free_part_of_its_vpc(ec2, vpc, subnet, account):
    found = only(ec2.describe_subnets(SubnetIds=[subnet]), "Subnets")
    assert found["SubnetArn"] == f"arn:aws:ec2:us-east-1:{account}:subnet/{subnet}"
    assert (found["AvailabilityZone"], found["AvailabilityZoneId"]) == ("us-east-1a", "use1-az1")
    assert (found["AvailableIpAddressCount"], found["State"], found["DefaultForAz"]) == (251, "available", False)
    ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet])
    acl = only(ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}]), "NetworkAcls")
    assert only(acl, "Associations")["SubnetId"] == subnet
    ec2.delete_subnet(SubnetId=subnet)
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[1:] == (
        "InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"CidrBlock": "10.0.1.128/25"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "10.0.0.0/16"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.2.0/29"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.2.5/24"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "x"}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1z"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZoneId": "use1-az9"}, "InvalidParameterValue"),
    ],
)
def test_a_subnet_that_cannot_be_is_refused(ec2, vpc, subnet, params, code):
    assert refusal(ec2.create_subnet, VpcId=vpc, **params)[:2] == (400, code)


def test_a_zone_is_chosen_by_name_or_id(ec2, vpc):
    by_name = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZone="us-east-1c")["Subnet"]
    by_id = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.3.0/24", AvailabilityZoneId="use1-az3")["Subnet"]
    assert by_name["AvailabilityZoneId"] == "use1-az3"
    assert by_id["AvailabilityZone"] == "us-east-1c"


def test_attributes_of_a_subnet_are_changed_one_at_a_time(ec2, subnet):
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2.modify_subnet_attribute(SubnetId=subnet, EnableResourceNameDnsARecordOnLaunch={"Value": True})
    ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    found = only(ec2.describe_subnets(SubnetIds=[subnet]), "Subnets")
    assert found["MapPublicIpOnLaunch"]
    assert found["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "resource-name", "EnableResourceNameDnsARecord": True, "EnableResourceNameDnsAAAARecord": False
    }  # fmt: skip
    change = ec2.modify_subnet_attribute
    assert refusal(change, SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})[1] == "InvalidParameterValue"
    assert refusal(change, SubnetId=subnet)[1] == "MissingParameter"
    two = {"MapPublicIpOnLaunch": {"Value": True}, "PrivateDnsHostnameTypeOnLaunch": "ip-name"}
    assert refusal(change, SubnetId=subnet, **two)[1] == "InvalidParameterCombination"


def test_a_subnet_with_an_interface_in_it_stays(ec2, vpc, subnet, group):
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[1:] == (
        "DependencyViolation", f"The subnet '{subnet}' has dependencies and cannot be deleted."
    )  # fmt: skip
    assert refusal(ec2.delete_security_group, GroupId=group)[1:] == (
        "DependencyViolation", f"resource {group} has a dependent object"
    )  # fmt: skip
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


# --- DHCP options, zones, regions -----------------------------------------------------------------------------------


def test_dhcp_options_stay_while_a_vpc_has_them(ec2, vpc):
    configuration = [{"Key": "domain-name", "Values": ["example.test"]}, {"Key": "domain-name-servers",
                     "Values": ["10.0.0.2", "10.0.0.3"]}]  # fmt: skip
    made = ec2.create_dhcp_options(DhcpConfigurations=configuration)["DhcpOptions"]
    ec2.associate_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"], VpcId=vpc)
    assert only(ec2.describe_vpcs(VpcIds=[vpc]), "Vpcs")["DhcpOptionsId"] == made["DhcpOptionsId"]
    named = ec2.describe_dhcp_options(Filters=[{"Name": "value", "Values": ["example.*"]}])
    assert only(named, "DhcpOptions")["DhcpConfigurations"][1]["Values"] == [
        {"Value": "10.0.0.2"}, {"Value": "10.0.0.3"}
    ]  # fmt: skip
    assert refusal(ec2.delete_dhcp_options, DhcpOptionsId=made["DhcpOptionsId"])[1] == "DependencyViolation"
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"])
    bad = [{"Key": "colour", "Values": ["blue"]}]
    assert refusal(ec2.create_dhcp_options, DhcpConfigurations=bad)[1] == "InvalidParameterValue"


def test_zones_and_regions_are_those_of_aws(ec2):
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == [f"us-east-1{letter}" for letter in "abcdef"]
    assert zones[1]["ZoneId"] == "use1-az2"
    assert len(ec2.describe_availability_zones(ZoneNames=["us-east-1a"])["AvailabilityZones"]) == 1
    assert refusal(ec2.describe_availability_zones, ZoneNames=["us-west-2a"])[1] == "InvalidParameterValue"
    regions = [region["RegionName"] for region in ec2.describe_regions()["Regions"]]
    assert {"us-east-1", "eu-central-1", "ap-southeast-2"} <= set(regions)
    assert refusal(ec2.describe_regions, RegionNames=["mars-1"])[1] == "InvalidParameterValue"
    attributes = ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"]
    default = only(ec2.describe_vpcs(), "Vpcs")["VpcId"]
    assert attributes == [{"AttributeName": "default-vpc", "AttributeValues": [{"AttributeValue": default}]}]
