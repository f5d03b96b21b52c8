"""Network interfaces: the addresses that there are in a subnet, and the security groups that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ingle.domain.vpc.resource import Resource

#: Kinds of interfaces, as EC2 names them.
PLAIN = "interface"
OF_LAMBDA = "lambda"
OF_NAT_GATEWAY = "nat_gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateAddress:
    """An IPv4 address of an interface; exactly one of them is the primary one."""

    address: str
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What an interface is attached to: a service of AWS, whose name is `owner`. `id` is an `ela-attach-`."""

    id: str
    owner: str
    attached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface(Resource):
    """`addresses` begins with the primary one. `requester`: the service that made it and alone may remove it; such an
    interface has an `attachment`, and no other has one.

    `ipv6_allowed`: functions behind it have IPv6, too. `unused_since` is set on one of Lambda's that no function needs
    any more; it goes when its time is over.
    """

    kind: ClassVar[str] = "network-interface"
    prefix: ClassVar[str] = "eni"

    vpc: str
    subnet: str
    groups: tuple[str, ...]
    addresses: tuple[PrivateAddress, ...]
    mac: str
    created: int
    ipv6: tuple[str, ...] = ()
    description: str = ""
    interface_type: str = PLAIN
    requester: str | None = None
    source_dest_check: bool = True
    attachment: Attachment | None = None
    ipv6_allowed: bool = False
    unused_since: int | None = None

    @property
    def address(self) -> str:
        return self.addresses[0].address

    @property
    def in_use(self) -> bool:
        return self.attachment is not None
