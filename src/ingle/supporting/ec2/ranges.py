"""Ranges of addresses in requests, as EC2 takes them. Pure; raises Ec2Error for what is none."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, NetmaskValueError

from ingle.supporting.ec2.errors import invalid_value, wrong_value


def network_of(text: str, parameter: str) -> IPv4Network:
    """In its canonical form: bits behind the prefix are dropped, as EC2 does."""
    address, slash, length = text.partition("/")
    try:
        if not slash or not _is_number(length):
            raise ValueError
        return IPv4Network((str(IPv4Address(address)), int(length)), strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise wrong_value(text, parameter, "This is not a valid CIDR block.") from None


def ipv6_network_of(text: str, parameter: str) -> IPv6Network:
    address, slash, length = text.partition("/")
    try:
        if not slash or not _is_number(length) or "%" in address:
            raise ValueError
        return IPv6Network((str(IPv6Address(address)), int(length)), strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise wrong_value(text, parameter, "This is not a valid IPv6 CIDR block.") from None


def address_of(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise invalid_value(f"invalid value for parameter address: {text}") from None


def ipv6_address_of(text: str) -> IPv6Address:
    try:
        if "%" in text:
            raise AddressValueError
        return IPv6Address(text)
    except AddressValueError:
        raise invalid_value(f"invalid value for parameter ipv6Address: {text}") from None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3
