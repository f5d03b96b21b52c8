"""Parameters of EC2's model that ask for what there is not here. They are refused by name rather than ignored. Pure.

IPAM, outposts, prefixes of interfaces, local and carrier gateways, zones other than availability zones.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingle.supporting.ec2.errors import invalid_value
from ingle.supporting.ec2.scene import Params

_IPAM = ("Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength")
_OWN_IPV6 = ("Ipv6Pool", "Ipv6CidrBlock", "Ipv6CidrBlockNetworkBorderGroup")
_PREFIXES = ("Ipv4Prefixes", "Ipv4PrefixCount", "Ipv6Prefixes", "Ipv6PrefixCount")
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "CreateVpc": (*_IPAM, *_OWN_IPV6, "VpcEncryptionControl"),
    "AssociateVpcCidrBlock": (*_IPAM, *_OWN_IPV6),
    "CreateSubnet": (*_IPAM, "OutpostArn", "Ipv6Native"),
    "CreateDefaultSubnet": ("Ipv6Native",),
    "AssociateSubnetCidrBlock": ("Ipv6IpamPoolId", "Ipv6NetmaskLength"),
    "ModifySubnetAttribute": (
        "MapCustomerOwnedIpOnLaunch", "CustomerOwnedIpv4Pool", "EnableLniAtDeviceIndex", "DisableLniAtDeviceIndex"
    ),
    "AssociateRouteTable": ("GatewayId", "PublicIpv4Pool"),
    "AllocateAddress": ("Address", "PublicIpv4Pool", "CustomerOwnedIpv4Pool", "IpamPoolId"),
    "CreateNatGateway": (
        "VpcId", "AvailabilityZoneAddresses", "SecondaryAllocationIds", "SecondaryPrivateIpAddresses",
        "SecondaryPrivateIpAddressCount",
    ),
    "CreateNetworkInterface": (
        *_PREFIXES, "InterfaceType", "EnablePrimaryIpv6", "ConnectionTrackingSpecification", "Operator"
    ),
    "AssignPrivateIpAddresses": (*_PREFIXES, "AllowReassignment"),
    "UnassignPrivateIpAddresses": _PREFIXES,
    "AssignIpv6Addresses": _PREFIXES,
    "UnassignIpv6Addresses": _PREFIXES,
    "ModifyManagedPrefixList": ("IpamPrefixListResolverSyncEnabled",),
}  # fmt: skip


def refuse(operation: str, params: Params) -> None:
    """Raise Ec2Error for the first of them that asks for something: false and nothing ask for nothing."""
    for name in _PARAMETERS.get(operation, ()):
        if params.get(name):
            raise invalid_value(f"The parameter {name} is not supported.")
