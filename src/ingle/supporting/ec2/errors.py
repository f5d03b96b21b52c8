"""Errors of EC2. Its model names none: codes and texts are those of "Error codes for the Amazon EC2 API" and of answers
that users of EC2 report."""

from __future__ import annotations

from ingle.domain.errors import ServiceError
from ingle.domain.vpc import (
    DhcpOptions,
    EgressOnlyGateway,
    ElasticAddress,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    Resource,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)


class Ec2Error(ServiceError):
    """Any error of EC2, by its code."""

    http_status = 400
    type = None

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ec2Unavailable(ServiceError):
    """What was asked for cannot be stored."""

    code = "InternalError"
    http_status = 500
    type = None


class DryRun(Ec2Error):
    """The request was checked and would have succeeded."""

    http_status = 412

    def __init__(self) -> None:
        super().__init__("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


#: By kind: the code for an id that nothing has, the code for one of the wrong form, and what EC2 calls the kind.
_IDS: dict[type[Resource], tuple[str, str, str]] = {
    Vpc: ("InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "vpc ID"),
    Subnet: ("InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed", "subnet ID"),
    SecurityGroup: ("InvalidGroup.NotFound", "InvalidGroupId.Malformed", "security group"),
    SecurityGroupRule: (
        "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed", "security group rule ID"
    ),
    RouteTable: ("InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed", "routeTable ID"),
    NetworkAcl: ("InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed", "networkAcl ID"),
    NetworkInterface: (
        "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceId.Malformed", "networkInterface ID"
    ),
    InternetGateway: (
        "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed", "internetGateway ID"
    ),
    EgressOnlyGateway: ("InvalidGatewayID.NotFound", "InvalidEgressOnlyInternetGatewayId.Malformed", "eigw ID"),
    NatGateway: ("NatGatewayNotFound", "NatGatewayMalformed", "Nat Gateway"),
    ElasticAddress: ("InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed", "allocation ID"),
    PrefixList: ("InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed", "prefix list ID"),
    DhcpOptions: ("InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed", "dhcpOption ID"),
}  # fmt: skip


def not_found(kind: type[Resource], *identifiers: str) -> Ec2Error:
    code, _, name = _IDS[kind]
    if kind is NatGateway:
        return Ec2Error(code, f"The Nat Gateway {', '.join(identifiers)} was not found")
    if len(identifiers) > 1:
        return Ec2Error(code, f"The {name}s '{', '.join(identifiers)}' do not exist")
    return Ec2Error(code, f"The {name} '{identifiers[0]}' does not exist")


def malformed(kind: type[Resource], identifier: str) -> Ec2Error:
    return Ec2Error(_IDS[kind][1], f'Invalid id: "{identifier}" (expecting "{kind.prefix}-...")')


def association_missing(identifier: str) -> Ec2Error:
    return Ec2Error("InvalidAssociationID.NotFound", f"The association ID '{identifier}' does not exist")


def invalid_value(message: str) -> Ec2Error:
    return Ec2Error("InvalidParameterValue", message)


def wrong_value(value: object, parameter: str, reason: str) -> Ec2Error:
    return invalid_value(f"Value ({value}) for parameter {parameter} is invalid. {reason}")


def missing(parameter: str) -> Ec2Error:
    return Ec2Error("MissingParameter", f"The request must contain the parameter {parameter}")


def not_together(message: str) -> Ec2Error:
    return Ec2Error("InvalidParameterCombination", message)


def in_use(kind: str, identifier: str) -> Ec2Error:
    return Ec2Error("DependencyViolation", f"The {kind} '{identifier}' has dependencies and cannot be deleted.")
