"""Whether other firewalls of the machine let through what functions send, and what its owner may have them do.

Used by `ingle doctor` and `ingle network allow-forwarding`, with or without a server that runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingle.network import firewalls
from ingle.network.netlink import Netlink
from ingle.network.uplink import PREFIX
from ingle.sandbox.launch import network_identity
from ingle.settings import Settings
from ingle.storage.bindings import Bindings
from ingle.storage.layout import BINDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """`refusals`: what was found, as texts. `commands`: what lets functions through, in part if some of it was done."""

    refusals: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def look(settings: Settings) -> Forwarding:
    """For the server with these settings. Takes root. Raises OSError and DataDirectoryError."""
    found = firewalls.look()
    if not found:
        return Forwarding()
    devices = set(Bindings(settings.data_dir / BINDINGS, dict(settings.bound_subnets)).values())
    bridges: list[str] = []
    if devices and firewalls.frames_are_seen():
        with Netlink() as links:
            bridges = sorted(each.name for each in links.devices() if each.kind == "bridge" and each.name in devices)
    uplink = None if settings.egress == "none" else f"{PREFIX}{network_identity(settings.data_dir)}"
    return Forwarding(
        refusals=tuple(str(refusal) for refusal in found), commands=tuple(firewalls.commands(found, uplink, bridges))
    )
