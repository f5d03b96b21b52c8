"""Route tables, gateways and elastic addresses, with boto3 as the user."""

from __future__ import annotations

import pytest

from served import refusal

EVERYWHERE = "0.0.0.0/0"


def only(answer, member):
    (found,) = answer[member]
    return found


@pytest.fixture
def table(ec2, vpc):
    return ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]


@pytest.fixture
def gateway(ec2, vpc):
    """An internet gateway that is attached to `vpc`."""
    identifier = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=identifier, VpcId=vpc)
    return identifier


@pytest.fixture
def nat(ec2, subnet, gateway):
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]


def routes(ec2, table):
    return only(ec2.describe_route_tables(RouteTableIds=[table]), "RouteTables")["Routes"]


def test_a_table_has_the_local_route_from_the_beginning(ec2, vpc, table):
    assert routes(ec2, table) == [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
    ]
    assert refusal(ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16")[1:] == (
        "InvalidParameterValue", f"cannot remove local route 10.0.0.0/16 in route table {table}",
    )  # fmt: skip
    ec2.delete_route_table(RouteTableId=table)
    assert refusal(ec2.delete_route_table, RouteTableId=table)[1:] == (
        "InvalidRouteTableID.NotFound", f"The routeTable ID '{table}' does not exist",
    )  # fmt: skip


def test_routes_are_made_replaced_and_removed(ec2, table, gateway, nat):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="1.2.3.4/0", GatewayId=gateway)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE, GatewayId=gateway)
    other = {"RouteTableId": table, "DestinationCidrBlock": EVERYWHERE, "NatGatewayId": nat}
    assert refusal(ec2.create_route, **other)[1:] == (
        "RouteAlreadyExists", f"The route identified by {EVERYWHERE} already exists.",
    )  # fmt: skip
    ec2.replace_route(**other)
    assert routes(ec2, table)[1] == {
        "DestinationCidrBlock": EVERYWHERE, "NatGatewayId": nat, "Origin": "CreateRoute", "State": "active"
    }  # fmt: skip
    found = ec2.describe_route_tables(Filters=[{"Name": "route.nat-gateway-id", "Values": [nat]}])
    assert only(found, "RouteTables")["RouteTableId"] == table
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE)
    assert len(routes(ec2, table)) == 1
    gone = {"RouteTableId": table, "DestinationCidrBlock": EVERYWHERE}
    assert refusal(ec2.delete_route, **gone)[1] == "InvalidRoute.NotFound"
    assert refusal(ec2.replace_route, **gone, GatewayId=gateway)[1] == "InvalidRoute.NotFound"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"DestinationCidrBlock": EVERYWHERE}, "MissingParameter"),
        ({"GatewayId": "igw-00000000"}, "MissingParameter"),
        ({"DestinationCidrBlock": EVERYWHERE, "GatewayId": "igw-00000000"}, "InvalidInternetGatewayID.NotFound"),
        ({"DestinationCidrBlock": EVERYWHERE, "NatGatewayId": "nat-00000000"}, "InvalidNatGatewayID.NotFound"),
        ({"DestinationCidrBlock": EVERYWHERE, "NatGatewayId": "x"}, "NatGatewayMalformed"),
        ({"DestinationCidrBlock": "x", "GatewayId": "igw-00000000"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": EVERYWHERE, "TransitGatewayId": "tgw-1"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": EVERYWHERE, "GatewayId": "igw-1", "NatGatewayId": "nat-1"},
         "InvalidParameterCombination"),
        ({"DestinationPrefixListId": "pl-00000000", "GatewayId": "igw-1"}, "InvalidPrefixListID.NotFound"),
    ],
)  # fmt: skip
def test_a_route_that_cannot_be_is_refused(ec2, table, params, code):
    assert refusal(ec2.create_route, RouteTableId=table, **params)[:2] == (400, code)


def test_a_route_leads_to_its_own_vpc_only_and_not_into_it(ec2, table, gateway):
    default = only(ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": ["vpc-*"]},
                   {"Name": "internet-gateway-id", "Values": ["*"]}, {"Name": "attachment.vpc-id", "Values": [
                    only(ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}]), "Vpcs")["VpcId"]]}]),
                   "InternetGateways")["InternetGatewayId"]  # fmt: skip
    params = {"RouteTableId": table, "DestinationCidrBlock": EVERYWHERE}
    assert refusal(ec2.create_route, **params, GatewayId=default)[2].endswith("belong to different networks")
    inside = {"RouteTableId": table, "DestinationCidrBlock": "10.0.7.0/24"}
    assert refusal(ec2.create_route, **inside, GatewayId=gateway)[1] == "InvalidParameterValue"


def test_subnets_follow_the_table_that_they_are_associated_with(ec2, vpc, subnet, table):
    held = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"] == held
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    assert refusal(ec2.associate_route_table, RouteTableId=other, SubnetId=subnet)[1] == "Resource.AlreadyAssociated"
    assert refusal(ec2.delete_route_table, RouteTableId=table)[1] == "DependencyViolation"
    moved = ec2.replace_route_table_association(AssociationId=held, RouteTableId=other)
    assert moved["AssociationState"]["State"] == "associated"
    ec2.delete_route_table(RouteTableId=table)
    ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
    ec2.delete_route_table(RouteTableId=other)
    assert refusal(ec2.disassociate_route_table, AssociationId=held)[1] == "InvalidAssociationID.NotFound"


def test_another_table_becomes_the_main_one(ec2, vpc, table):
    within = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    main = only(ec2.describe_route_tables(Filters=within), "RouteTables")
    held = main["Associations"][0]["RouteTableAssociationId"]
    assert refusal(ec2.disassociate_route_table, AssociationId=held)[1] == "InvalidParameterValue"
    ec2.replace_route_table_association(AssociationId=held, RouteTableId=table)
    assert only(ec2.describe_route_tables(Filters=within), "RouteTables")["RouteTableId"] == table
    ec2.delete_route_table(RouteTableId=main["RouteTableId"])
    ec2.delete_vpc(VpcId=vpc)


# --- gateways -------------------------------------------------------------------------------------------------------


def test_an_internet_gateway_is_attached_to_one_vpc(ec2, vpc, gateway):
    found = only(ec2.describe_internet_gateways(InternetGatewayIds=[gateway]), "InternetGateways")
    assert found["Attachments"] == [{"State": "available", "VpcId": vpc}]
    attach = ec2.attach_internet_gateway
    assert refusal(attach, InternetGatewayId=gateway, VpcId=vpc)[1] == "Resource.AlreadyAssociated"
    second = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refusal(attach, InternetGatewayId=second, VpcId=vpc)[1] == "InvalidParameterValue"
    assert refusal(ec2.delete_internet_gateway, InternetGatewayId=gateway)[1] == "DependencyViolation"
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=second, VpcId=vpc)[1] == "Gateway.NotAttached"
    assert refusal(ec2.delete_vpc, VpcId=vpc)[1] == "DependencyViolation"
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_routes_to_what_is_gone_are_black_holes(ec2, vpc, table, gateway):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE, GatewayId=gateway)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert routes(ec2, table)[1]["State"] == "blackhole"
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert routes(ec2, table)[1]["State"] == "active"
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert routes(ec2, table)[1]["State"] == "blackhole"


def test_an_egress_only_gateway_is_for_ipv6(ec2, vpc, table):
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    identifier = made["EgressOnlyInternetGatewayId"]
    assert made["Attachments"] == [{"State": "attached", "VpcId": vpc}]
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=identifier)
    params = {"RouteTableId": table, "DestinationCidrBlock": EVERYWHERE, "EgressOnlyInternetGatewayId": identifier}
    assert refusal(ec2.create_route, **params)[1] == "InvalidParameterValue"
    found = ec2.describe_egress_only_internet_gateways(EgressOnlyInternetGatewayIds=[identifier])
    assert only(found, "EgressOnlyInternetGateways") == made
    assert ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=identifier)["ReturnCode"]
    assert routes(ec2, table)[1]["State"] == "blackhole"


def test_a_nat_gateway_has_an_interface_and_an_address(ec2, vpc, subnet, nat, gateway):
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat])
    found = only(ec2.describe_nat_gateways(NatGatewayIds=[nat]), "NatGateways")
    assert (found["State"], found["SubnetId"], found["VpcId"], found["ConnectivityType"]) == (
        "available", subnet, vpc, "public"
    )  # fmt: skip
    held = only(found, "NatGatewayAddresses")
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=[held["NetworkInterfaceId"]])
    interface = only(interfaces, "NetworkInterfaces")
    assert interface["InterfaceType"] == "nat_gateway"
    assert interface["RequesterManaged"]
    assert interface["Description"] == f"Interface for NAT Gateway {nat}"
    assert interface["PrivateIpAddress"] == held["PrivateIp"] == "10.0.1.4"
    assert interface["Association"]["PublicIp"] == held["PublicIp"]
    address = only(ec2.describe_addresses(AllocationIds=[held["AllocationId"]]), "Addresses")
    assert address["NetworkInterfaceId"] == held["NetworkInterfaceId"]
    remove = ec2.delete_network_interface
    assert refusal(remove, NetworkInterfaceId=held["NetworkInterfaceId"])[1] == "InvalidParameterValue"
    assert refusal(ec2.release_address, AllocationId=held["AllocationId"])[1] == "InvalidIPAddress.InUse"
    assert refusal(ec2.disassociate_address, AssociationId=address["AssociationId"])[1] == "AuthFailure"
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[1] == "DependencyViolation"
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)[1] == "DependencyViolation"
    assert ec2.delete_nat_gateway(NatGatewayId=nat)["NatGatewayId"] == nat
    assert only(ec2.describe_nat_gateways(NatGatewayIds=[nat]), "NatGateways")["State"] == "deleted"
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat])
    ec2.release_address(AllocationId=held["AllocationId"])
    ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)


def test_a_private_nat_gateway_needs_neither(ec2, subnet):
    made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private", PrivateIpAddress="10.0.1.77")
    held = only(made["NatGateway"], "NatGatewayAddresses")
    assert held["PrivateIp"] == "10.0.1.77"
    assert "PublicIp" not in held
    assert made["NatGateway"]["State"] == "pending"


def test_a_nat_gateway_that_cannot_be_is_refused(ec2, subnet):
    assert refusal(ec2.create_nat_gateway, SubnetId=subnet)[1] == "MissingParameter"
    address = ec2.allocate_address()["AllocationId"]
    create = ec2.create_nat_gateway
    assert refusal(create, SubnetId=subnet, AllocationId=address)[1] == "Gateway.NotAttached"
    assert refusal(create, SubnetId="subnet-00000000", AllocationId=address)[1] == "InvalidSubnet"
    assert refusal(create, SubnetId=subnet, AllocationId="eipalloc-00000000")[1] == "InvalidAllocationID.NotFound"
    assert refusal(ec2.delete_nat_gateway, NatGatewayId="nat-00000000")[1:] == (
        "NatGatewayNotFound", "The Nat Gateway nat-00000000 was not found",
    )  # fmt: skip


def test_the_same_request_again_makes_nothing_new(ec2, subnet):
    request = {"SubnetId": subnet, "ConnectivityType": "private", "ClientToken": "once"}
    first = ec2.create_nat_gateway(**request)["NatGateway"]["NatGatewayId"]
    assert ec2.create_nat_gateway(**request)["NatGateway"]["NatGatewayId"] == first
    other = {**request, "PrivateIpAddress": "10.0.1.9"}
    assert refusal(ec2.create_nat_gateway, **other)[1] == "IdempotentParameterMismatch"


# --- elastic addresses ----------------------------------------------------------------------------------------------


def test_an_elastic_address_moves_between_interfaces(ec2, subnet, gateway):
    made = ec2.allocate_address(
        TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": [{"Key": "a", "Value": "b"}]}]
    )
    one, two = (ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in "ab")
    allocation = made["AllocationId"]
    held = ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=one)["AssociationId"]
    address = only(ec2.describe_addresses(PublicIps=[made["PublicIp"]]), "Addresses")
    assert (address["AssociationId"], address["PrivateIpAddress"], address["Domain"]) == (held, "10.0.1.4", "vpc")
    names = ec2.describe_addresses_attribute(AllocationIds=[allocation], Attribute="domain-name")["Addresses"]
    assert names == [{"AllocationId": allocation, "PublicIp": made["PublicIp"]}]
    move = {"AllocationId": allocation, "NetworkInterfaceId": two}
    assert refusal(ec2.associate_address, **move, AllowReassociation=False)[1] == "Resource.AlreadyAssociated"
    again = ec2.associate_address(**move)["AssociationId"]
    assert again != held
    assert refusal(ec2.disassociate_address, AssociationId=held)[1] == "InvalidAssociationID.NotFound"
    interface = only(ec2.describe_network_interfaces(NetworkInterfaceIds=[two]), "NetworkInterfaces")
    assert interface["Association"]["AllocationId"] == allocation
    ec2.delete_network_interface(NetworkInterfaceId=two)
    ec2.release_address(AllocationId=allocation)
    assert refusal(ec2.release_address, AllocationId=allocation)[1] == "InvalidAllocationID.NotFound"
    assert refusal(ec2.describe_addresses, PublicIps=["192.0.2.1"])[1] == "InvalidAddress.NotFound"


def test_an_elastic_address_needs_a_way_to_the_internet(ec2, subnet):
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    allocation = ec2.allocate_address()["AllocationId"]
    call = ec2.associate_address
    assert refusal(call, AllocationId=allocation, NetworkInterfaceId=interface)[1] == "Gateway.NotAttached"
    assert refusal(call, AllocationId=allocation, InstanceId="i-1")[1] == "InvalidInstanceID.NotFound"
    assert refusal(ec2.release_address)[1] == "MissingParameter"
