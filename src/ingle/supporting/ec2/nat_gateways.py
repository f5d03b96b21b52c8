"""NAT gateways, each with an interface of its own in its subnet. Pure.

Source of the rules: "NAT gateways" in the VPC user guide. A gateway is there as soon as it is made, and stays visible
for an hour after it was deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ingle.domain.vpc import (
    Attachment,
    ElasticAddress,
    InternetGateway,
    NatAddress,
    NatGateway,
    NetworkInterface,
    Resource,
    Subnet,
)
from ingle.domain.vpc.interfaces import OF_NAT_GATEWAY
from ingle.supporting.ec2 import addressing
from ingle.supporting.ec2.elastic_addresses import available
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing, not_found
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, require_form, token_of
from ingle.supporting.ec2.tags import tags_for

#: How long a deleted gateway is shown, in seconds.
REMEMBERED = 3600
REQUESTER = "amazon-nat"


def show(gateway: NatGateway, state: str | None = None) -> dict[str, Any]:
    deleted = gateway.deleted
    return {
        "NatGatewayId": gateway.id,
        "VpcId": gateway.vpc,
        "SubnetId": gateway.subnet,
        "State": state or _state(gateway),
        "CreateTime": datetime.fromtimestamp(gateway.created, UTC),
        "DeleteTime": None if deleted is None else datetime.fromtimestamp(deleted, UTC),
        "ConnectivityType": _connectivity(gateway),
        "AvailabilityMode": "zonal",
        "NatGatewayAddresses": [
            {
                "AllocationId": held.allocation,
                "AssociationId": held.association,
                "NetworkInterfaceId": held.interface,
                "PrivateIp": held.private_ip,
                "PublicIp": held.public_ip,
                "IsPrimary": number == 0,
                "Status": "succeeded",
            }
            for number, held in enumerate(gateway.addresses)
        ],
        "Tags": tags_of(gateway) or [],
    }


def _state(gateway: NatGateway) -> str:
    return "available" if gateway.available else "deleted"


def _connectivity(gateway: NatGateway) -> str:
    return "public" if gateway.public else "private"


_FILTERS: Table[NatGateway] = {
    **TAGGED,
    "connectivity-type": lambda gateway: [_connectivity(gateway)],
    "nat-gateway-id": lambda gateway: [gateway.id],
    "state": lambda gateway: [_state(gateway)],
    "subnet-id": lambda gateway: [gateway.subnet],
    "vpc-id": lambda gateway: [gateway.vpc],
}


def describe(scene: Scene, params: Params) -> Outcome:
    found = [gateway for gateway in scene.mine(NatGateway) if not _forgotten(scene, gateway)]
    return described(
        scene, params, NatGateway, "NatGateways", show, _FILTERS, ids="NatGatewayIds", filters="Filter", records=found
    )


def create(scene: Scene, params: Params) -> Outcome:
    if params.get("AvailabilityMode", "zonal") != "zonal":
        raise invalid_value("NAT gateways of whole regions are not supported.")
    before = scene.repeated(NatGateway, params)
    if before is not None:
        return Outcome({"NatGateway": show(before), "ClientToken": params["ClientToken"]})
    if "SubnetId" not in params:
        raise missing("subnetId")
    subnet = _subnet(scene, params["SubnetId"])
    public = params.get("ConnectivityType", "public") == "public"
    elastic = _elastic(scene, subnet, params, public=public)
    identifier = scene.new_id(NatGateway.prefix)
    interface = _interface(scene, subnet, identifier, params.get("PrivateIpAddress"))
    held = NatAddress(interface=interface.id, private_ip=interface.address)
    put: list[Resource] = [interface]
    if elastic is not None:
        taken = replace(
            elastic, association=scene.new_id("eipassoc"), interface=interface.id, private_ip=interface.address
        )
        held = replace(held, allocation=taken.id, association=taken.association, public_ip=taken.public_ip)
        put.append(taken)
    gateway = NatGateway(
        **scene.place, id=identifier, tags=tags_for(params, NatGateway), vpc=subnet.vpc, subnet=subnet.id,
        public=public, addresses=(held,), created=scene.now, client_token=token_of(params),
    )  # fmt: skip
    answer = {"NatGateway": show(gateway, "pending"), "ClientToken": params.get("ClientToken")}
    return Outcome(answer, put=[*put, gateway], removed=_old(scene))


def delete(scene: Scene, params: Params) -> Outcome:
    """Its address is free again; routes to it are black holes."""
    identifier = params["NatGatewayId"]
    require_form(NatGateway, identifier)
    gateway = scene.seek(NatGateway, identifier)
    if gateway is None or _forgotten(scene, gateway):
        raise not_found(NatGateway, identifier)
    if not gateway.available:
        return Outcome({"NatGatewayId": gateway.id})
    interfaces = [scene.networks.get(NetworkInterface, held.interface) for held in gateway.addresses]
    freed = [
        elastic.freed()
        for elastic in scene.mine(ElasticAddress)
        if any(elastic.id == held.allocation for held in gateway.addresses)
    ]
    gone = replace(gateway, deleted=scene.now)
    removed: list[Resource] = [interface for interface in interfaces if interface is not None]
    return Outcome({"NatGatewayId": gateway.id}, put=[gone, *freed], removed=[*removed, *_old(scene)])


def _subnet(scene: Scene, identifier: str) -> Subnet:
    subnet = scene.seek(Subnet, identifier)
    if subnet is None:
        raise Ec2Error("InvalidSubnet", f"The subnet ID '{identifier}' does not exist")
    return subnet


def _elastic(scene: Scene, subnet: Subnet, params: Params, *, public: bool) -> ElasticAddress | None:
    if not public:
        if "AllocationId" in params:
            raise invalid_value("The parameter AllocationId must not be set for a private NAT gateway.")
        return None
    if "AllocationId" not in params:
        raise missing("AllocationId")
    elastic = available(scene, params["AllocationId"])
    if not scene.networks.in_vpc(InternetGateway, subnet.vpc):
        raise Ec2Error("Gateway.NotAttached", f"Network {subnet.vpc} has no Internet gateway attached")
    return elastic


def _interface(scene: Scene, subnet: Subnet, gateway: str, wanted: str | None) -> NetworkInterface:
    taken = addressing.taken_in(scene.networks, subnet)
    if wanted is None:
        addresses = addressing.some_addresses(subnet, taken, 1)
    else:
        addresses = addressing.these_addresses(subnet, taken, [wanted])
    identifier = scene.new_id(NetworkInterface.prefix)
    return NetworkInterface(
        **scene.place, id=identifier, vpc=subnet.vpc, subnet=subnet.id, groups=(),
        addresses=addressing.as_private(addresses), mac=addressing.new_mac(identifier), created=scene.now,
        description=f"Interface for NAT Gateway {gateway}", interface_type=OF_NAT_GATEWAY, requester=REQUESTER,
        source_dest_check=False,
        attachment=Attachment(id=scene.new_id("ela-attach"), owner="amazon-aws", attached=scene.now),
    )  # fmt: skip


def _forgotten(scene: Scene, gateway: NatGateway) -> bool:
    return gateway.deleted is not None and scene.now - gateway.deleted > REMEMBERED


def _old(scene: Scene) -> Sequence[NatGateway]:
    """What nobody sees any more goes with the next change of gateways."""
    return [gateway for gateway in scene.mine(NatGateway) if _forgotten(scene, gateway)]


OPERATIONS: dict[str, Decide] = {
    "CreateNatGateway": create,
    "DescribeNatGateways": describe,
    "DeleteNatGateway": delete,
}
