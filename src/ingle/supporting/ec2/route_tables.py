"""Route tables, their routes and what they are associated with. Pure.

Source of the rules: "Route tables" in the VPC user guide.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from ingle.domain.vpc import (
    BY_PREFIX,
    EgressOnlyGateway,
    InternetGateway,
    NatGateway,
    NetworkInterface,
    Resource,
    Route,
    RouteTable,
    RouteTableAssociation,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.routing import LOCAL, WITH_TABLE, local_route
from ingle.supporting.ec2 import prefix_lists
from ingle.supporting.ec2.associations import holder_of, moved
from ingle.supporting.ec2.errors import Ec2Error, in_use, invalid_value, missing
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.ranges import ipv6_network_of, network_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, only_one, require_form, token_of
from ingle.supporting.ec2.tags import tags_for

_MOST_ROUTES = 1000
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
#: Parameters that name a target: which kind is there, if it can be a target at all here.
_TARGETS: dict[str, type[Resource] | None] = {
    "GatewayId": InternetGateway, "NatGatewayId": NatGateway, "EgressOnlyInternetGatewayId": EgressOnlyGateway,
    "NetworkInterfaceId": NetworkInterface, "InstanceId": None, "TransitGatewayId": None, "LocalGatewayId": None,
    "CarrierGatewayId": None, "VpcPeeringConnectionId": None, "VpcEndpointId": None, "CoreNetworkArn": None,
    "OdbNetworkArn": None,
}  # fmt: skip
_MEMBERS = {
    "igw": "GatewayId", LOCAL: "GatewayId", "nat": "NatGatewayId", "eigw": "EgressOnlyInternetGatewayId",
    "eni": "NetworkInterfaceId",
}  # fmt: skip


def show(scene: Scene, table: RouteTable) -> dict[str, Any]:
    return {
        "RouteTableId": table.id,
        "VpcId": table.vpc,
        "OwnerId": table.account,
        "Routes": [show_route(scene, table, route) for route in table.routes],
        "Associations": [_show_association(table, held) for held in table.associations],
        "PropagatingVgws": [],
        "Tags": tags_of(table) or [],
    }


def show_route(scene: Scene, table: RouteTable, route: Route) -> dict[str, Any]:
    return {
        "DestinationCidrBlock": route.cidr,
        "DestinationIpv6CidrBlock": route.cidr6,
        "DestinationPrefixListId": route.prefix_list,
        _MEMBERS[route.target.partition("-")[0]]: route.target,
        "Origin": route.origin,
        "State": state_of(scene, table, route),
    }


def state_of(scene: Scene, table: RouteTable, route: Route) -> str:
    """`blackhole` where the target is gone, or is no longer of this VPC."""
    if route.target == LOCAL:
        return "active"
    target: Any = scene.networks.get(BY_PREFIX[route.target.partition("-")[0]], route.target)
    gone = target is None or target.vpc != table.vpc or (isinstance(target, NatGateway) and not target.available)
    return "blackhole" if gone else "active"


def _show_association(table: RouteTable, held: RouteTableAssociation) -> dict[str, Any]:
    return {
        "RouteTableAssociationId": held.id, "RouteTableId": table.id, "Main": held.subnet is None,
        "SubnetId": held.subnet, "AssociationState": {"State": "associated"},
    }  # fmt: skip


def _filters(scene: Scene) -> Table[RouteTable]:
    def targets(prefix: str) -> Any:
        return lambda table: [route.target for route in table.routes if route.target.startswith(prefix)]

    return {
        **TAGGED,
        "association.gateway-id": lambda table: [],
        "association.main": lambda table: [held.subnet is None for held in table.associations],
        "association.route-table-association-id": lambda table: [held.id for held in table.associations],
        "association.route-table-id": lambda table: [table.id for _ in table.associations],
        "association.subnet-id": lambda table: [held.subnet for held in table.associations],
        "route-table-id": lambda table: [table.id],
        "route.destination-cidr-block": lambda table: [route.cidr for route in table.routes],
        "route.destination-ipv6-cidr-block": lambda table: [route.cidr6 for route in table.routes],
        "route.destination-prefix-list-id": lambda table: [route.prefix_list for route in table.routes],
        "route.egress-only-internet-gateway-id": targets("eigw-"),
        "route.gateway-id": lambda table: [
            route.target for route in table.routes if route.target == LOCAL or route.target.startswith("igw-")
        ],
        "route.instance-id": lambda table: [],
        "route.nat-gateway-id": targets("nat-"),
        "route.transit-gateway-id": lambda table: [],
        "route.origin": lambda table: [route.origin for route in table.routes],
        "route.state": lambda table: [state_of(scene, table, route) for route in table.routes],
        "route.vpc-peering-connection-id": lambda table: [],
        "vpc-id": lambda table: [table.vpc],
    }


def describe(scene: Scene, params: Params) -> Outcome:
    return described(
        scene, params, RouteTable, "RouteTables", lambda table: show(scene, table), _filters(scene),
        ids="RouteTableIds",
    )  # fmt: skip


def create(scene: Scene, params: Params) -> Outcome:
    before = scene.repeated(RouteTable, params)
    if before is not None:
        return Outcome({"RouteTable": show(scene, before), "ClientToken": params["ClientToken"]})
    vpc = scene.find(Vpc, params["VpcId"])
    routes = [local_route(cidr=held.cidr) for held in vpc.cidrs]
    routes += [local_route(cidr6=held.cidr) for held in vpc.ipv6]
    table = RouteTable(
        **scene.place, id=scene.new_id(RouteTable.prefix), tags=tags_for(params, RouteTable), vpc=vpc.id,
        routes=tuple(routes), client_token=token_of(params),
    )  # fmt: skip
    return Outcome({"RouteTable": show(scene, table), "ClientToken": params.get("ClientToken")}, put=[table])


def delete(scene: Scene, params: Params) -> Outcome:
    table = scene.find(RouteTable, params["RouteTableId"])
    if table.associations:
        raise in_use("routeTable", table.id)
    return Outcome({}, removed=[table])


# --- routes ---------------------------------------------------------------------------------------------------------


def create_route(scene: Scene, params: Params) -> Outcome:
    """The same route again changes nothing."""
    table = scene.find(RouteTable, params["RouteTableId"])
    route = _wanted(scene, table, params)
    there = next((held for held in table.routes if held.destination == route.destination), None)
    if there == route:
        return Outcome({"Return": True})
    if there is not None:
        raise Ec2Error("RouteAlreadyExists", f"The route identified by {route.destination} already exists.")
    _check_destination(scene, table, route)
    if len(table.routes) >= _MOST_ROUTES:
        raise Ec2Error("RouteLimitExceeded", f"The maximum number of routes for '{table.id}' has been reached.")
    return Outcome({"Return": True}, put=[table.having(route)])


def replace_route(scene: Scene, params: Params) -> Outcome:
    table = scene.find(RouteTable, params["RouteTableId"])
    there = _there(scene, table, params)
    if params.get("LocalTarget"):
        if there.origin != WITH_TABLE:
            raise invalid_value("The local target is for routes that came with the table only.")
        route = replace(there, target=LOCAL)
    else:
        route = replace(_wanted(scene, table, params), origin=there.origin)
    routes = tuple(route if held is there else held for held in table.routes)
    return Outcome({}, put=[replace(table, routes=routes)])


def delete_route(scene: Scene, params: Params) -> Outcome:
    table = scene.find(RouteTable, params["RouteTableId"])
    there = _there(scene, table, params)
    if there.origin == WITH_TABLE:
        raise invalid_value(f"cannot remove local route {there.destination} in route table {table.id}")
    return Outcome({}, put=[replace(table, routes=tuple(held for held in table.routes if held is not there))])


def _there(scene: Scene, table: RouteTable, params: Params) -> Route:
    destination = next(iter(_destination(scene, params).values()))
    found = next((held for held in table.routes if held.destination == destination), None)
    if found is None:
        raise Ec2Error(
            "InvalidRoute.NotFound", f"no route with destination-cidr-block {destination} in route table {table.id}"
        )
    return found


def _wanted(scene: Scene, table: RouteTable, params: Params) -> Route:
    return Route(**_destination(scene, params), target=_target(scene, table, params))


def _destination(scene: Scene, params: Params) -> dict[str, str]:
    """The one that a request names, as a field of `Route`."""
    several = "A route has exactly one destination."
    name = only_one(params, _DESTINATIONS, several=several, none="destinationCidrBlock")
    text = params[name]
    if name == "DestinationCidrBlock":
        return {"cidr": str(network_of(text, "destinationCidrBlock"))}
    if name == "DestinationIpv6CidrBlock":
        return {"cidr6": str(ipv6_network_of(text, "destinationIpv6CidrBlock"))}
    return {"prefix_list": prefix_lists.existing(scene, text).id}


def _target(scene: Scene, table: RouteTable, params: Params) -> str:
    """The one that a request names: it is there, and in the table's VPC."""
    name = only_one(params, _TARGETS, several="A route has exactly one target.", none="gatewayId")
    identifier, kind = params[name], _TARGETS[name]
    if kind is None:
        raise invalid_value(f"A route to a target of {name} is not supported.")
    if name == "GatewayId" and identifier == LOCAL:
        raise invalid_value("A route to the local target comes with the route table.")
    target: Any = _found(scene, kind, identifier)
    if isinstance(target, InternetGateway) and target.vpc != table.vpc:
        raise invalid_value(f"route table {table.id} and network gateway {target.id} belong to different networks")
    if target.vpc != table.vpc:
        raise invalid_value(f"route table {table.id} and {target.id} belong to different networks")
    if isinstance(target, EgressOnlyGateway) and "DestinationCidrBlock" in params:
        raise invalid_value("An egress-only internet gateway is for IPv6 destinations only.")
    return str(identifier)


def _found(scene: Scene, kind: type[Resource], identifier: str) -> Resource:
    if kind is not NatGateway:
        return scene.find(kind, identifier)
    require_form(kind, identifier)
    gateway = scene.seek(NatGateway, identifier)
    if gateway is None or not gateway.available:
        raise Ec2Error("InvalidNatGatewayID.NotFound", f"The natGateway ID '{identifier}' does not exist")
    return gateway


def _check_destination(scene: Scene, table: RouteTable, route: Route) -> None:
    """Nothing inside the VPC may be routed elsewhere unless the route is wider or to an interface."""
    vpc = scene.find(Vpc, table.vpc)
    inside = False
    if route.cidr is not None:
        inside = any(IPv4Network(route.cidr).subnet_of(held) for held in vpc.networks)
    elif route.cidr6 is not None:
        inside = any(IPv6Network(route.cidr6).subnet_of(held) for held in vpc.ipv6_networks)
    if inside and not route.target.startswith(("eni-", "nat-")):
        raise invalid_value(
            f"The destination CIDR block {route.destination} is equal to or more specific than one of this VPC's CIDR "
            "blocks. This route can target only an interface or an instance."
        )


# --- associations ---------------------------------------------------------------------------------------------------


def associate(scene: Scene, params: Params) -> Outcome:
    table = scene.find(RouteTable, params["RouteTableId"])
    if "SubnetId" not in params:
        raise missing("subnetId")
    subnet = scene.find(Subnet, params["SubnetId"])
    if subnet.vpc != table.vpc:
        raise invalid_value(f"Route table {table.id} and subnet {subnet.id} belong to different networks")
    for other in scene.networks.in_vpc(RouteTable, table.vpc):
        for held in other.associations:
            if held.subnet != subnet.id:
                continue
            if other.id == table.id:
                return Outcome(_associated(held.id, "AssociationId"))
            raise Ec2Error(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association",
            )
    made = RouteTableAssociation(id=scene.new_id("rtbassoc"), subnet=subnet.id)
    changed = replace(table, associations=(*table.associations, made))
    return Outcome(_associated(made.id, "AssociationId"), put=[changed])


def disassociate(scene: Scene, params: Params) -> Outcome:
    table = holder_of(scene, RouteTable, params["AssociationId"])
    gone = next(held for held in table.associations if held.id == params["AssociationId"])
    if gone.subnet is None:
        raise invalid_value(f"cannot disassociate the main route table association {gone.id}")
    left = tuple(held for held in table.associations if held is not gone)
    return Outcome({}, put=[replace(table, associations=left)])


def replace_association(scene: Scene, params: Params) -> Outcome:
    """Of a subnet, or of the VPC itself: which table is its main one."""
    identifier = params["AssociationId"]
    table = holder_of(scene, RouteTable, identifier)
    wanted = scene.find(RouteTable, params["RouteTableId"])
    if wanted.vpc != table.vpc:
        raise invalid_value(f"Route tables {wanted.id} and {table.id} belong to different networks")
    new = scene.new_id("rtbassoc")
    return Outcome(_associated(new, "NewAssociationId"), put=moved(table, wanted, identifier, new))


def _associated(identifier: str, member: str) -> dict[str, Any]:
    return {member: identifier, "AssociationState": {"State": "associated"}}


OPERATIONS: dict[str, Decide] = {
    "CreateRouteTable": create,
    "DescribeRouteTables": describe,
    "DeleteRouteTable": delete,
    "CreateRoute": create_route,
    "ReplaceRoute": replace_route,
    "DeleteRoute": delete_route,
    "AssociateRouteTable": associate,
    "DisassociateRouteTable": disassociate,
    "ReplaceRouteTableAssociation": replace_association,
}
