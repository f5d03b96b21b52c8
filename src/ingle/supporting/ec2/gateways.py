"""Internet gateways, and those that let IPv6 out only. NAT gateways are in `nat_gateways`. Pure.

Source of the rules: "Internet gateways" and "Egress-only internet gateways" in the VPC user guide.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.domain.vpc import EgressOnlyGateway, ElasticAddress, InternetGateway, NatGateway, NetworkInterface, Vpc
from ingle.supporting.ec2.errors import Ec2Error, in_use, invalid_value
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, token_of
from ingle.supporting.ec2.tags import tags_for


def show(gateway: InternetGateway) -> dict[str, Any]:
    attachments = [] if gateway.vpc is None else [{"State": "available", "VpcId": gateway.vpc}]
    return {
        "InternetGatewayId": gateway.id, "OwnerId": gateway.account, "Attachments": attachments,
        "Tags": tags_of(gateway) or [],
    }  # fmt: skip


_FILTERS: Table[InternetGateway] = {
    **TAGGED,
    "attachment.state": lambda gateway: ["available"] if gateway.vpc is not None else [],
    "attachment.vpc-id": lambda gateway: [gateway.vpc],
    "internet-gateway-id": lambda gateway: [gateway.id],
}


def describe(scene: Scene, params: Params) -> Outcome:
    return described(scene, params, InternetGateway, "InternetGateways", show, _FILTERS, ids="InternetGatewayIds")


def create(scene: Scene, params: Params) -> Outcome:
    gateway = InternetGateway(
        **scene.place, id=scene.new_id(InternetGateway.prefix), tags=tags_for(params, InternetGateway)
    )
    return Outcome({"InternetGateway": show(gateway)}, put=[gateway])


def delete(scene: Scene, params: Params) -> Outcome:
    gateway = scene.find(InternetGateway, params["InternetGatewayId"])
    if gateway.vpc is not None:
        raise in_use("internetGateway", gateway.id)
    return Outcome({}, removed=[gateway])


def attach(scene: Scene, params: Params) -> Outcome:
    gateway = scene.find(InternetGateway, params["InternetGatewayId"])
    vpc = scene.find(Vpc, params["VpcId"])
    if gateway.vpc is not None:
        raise Ec2Error(
            "Resource.AlreadyAssociated", f"resource {gateway.id} is already attached to network {gateway.vpc}"
        )
    if scene.networks.in_vpc(InternetGateway, vpc.id):
        raise invalid_value(f"Network {vpc.id} already has an internet gateway attached")
    return Outcome({}, put=[replace(gateway, vpc=vpc.id)])


def detach(scene: Scene, params: Params) -> Outcome:
    gateway = scene.find(InternetGateway, params["InternetGatewayId"])
    vpc = scene.find(Vpc, params["VpcId"])
    if gateway.vpc != vpc.id:
        raise Ec2Error("Gateway.NotAttached", f"resource {gateway.id} is not attached to network {vpc.id}")
    public = any(held.available and held.public for held in scene.networks.in_vpc(NatGateway, vpc.id))
    inside = {interface.id for interface in scene.networks.in_vpc(NetworkInterface, vpc.id)}
    if public or any(address.interface in inside for address in scene.mine(ElasticAddress)):
        raise Ec2Error(
            "DependencyViolation",
            f"Network {vpc.id} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway.",
        )
    return Outcome({}, put=[replace(gateway, vpc=None)])


# --- egress only ----------------------------------------------------------------------------------------------------


def show_egress_only(gateway: EgressOnlyGateway) -> dict[str, Any]:
    return {
        "EgressOnlyInternetGatewayId": gateway.id, "Attachments": [{"State": "attached", "VpcId": gateway.vpc}],
        "Tags": tags_of(gateway) or [],
    }  # fmt: skip


def describe_egress_only(scene: Scene, params: Params) -> Outcome:
    return described(
        scene, params, EgressOnlyGateway, "EgressOnlyInternetGateways", show_egress_only, TAGGED,
        ids="EgressOnlyInternetGatewayIds",
    )  # fmt: skip


def create_egress_only(scene: Scene, params: Params) -> Outcome:
    gateway = scene.repeated(EgressOnlyGateway, params)
    put = []
    if gateway is None:
        vpc = scene.find(Vpc, params["VpcId"])
        gateway = EgressOnlyGateway(
            **scene.place, id=scene.new_id(EgressOnlyGateway.prefix), tags=tags_for(params, EgressOnlyGateway),
            vpc=vpc.id, client_token=token_of(params),
        )  # fmt: skip
        put = [gateway]
    answer = {"EgressOnlyInternetGateway": show_egress_only(gateway), "ClientToken": params.get("ClientToken")}
    return Outcome(answer, put=put)


def delete_egress_only(scene: Scene, params: Params) -> Outcome:
    gateway = scene.find(EgressOnlyGateway, params["EgressOnlyInternetGatewayId"])
    return Outcome({"ReturnCode": True}, removed=[gateway])


OPERATIONS: dict[str, Decide] = {
    "CreateInternetGateway": create,
    "DescribeInternetGateways": describe,
    "DeleteInternetGateway": delete,
    "AttachInternetGateway": attach,
    "DetachInternetGateway": detach,
    "CreateEgressOnlyInternetGateway": create_egress_only,
    "DescribeEgressOnlyInternetGateways": describe_egress_only,
    "DeleteEgressOnlyInternetGateway": delete_egress_only,
}
