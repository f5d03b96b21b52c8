"""What the operator of a server may ask of its networks, as JSON objects, for `ingle network`.

AWS has no operation for it.

    {"do": "network-show"}                        see `Networking.show`
    {"do": "network-bind", subnet, device}        -> {"bound": device}
    {"do": "network-unbind", subnet}              -> {"unbound": subnet}

Answers have `error` alone where a request cannot be served.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ingle.catalog.networks import Networks
from ingle.domain.vpc import Subnet
from ingle.network.client import NetworkError
from ingle.network.plan import DEVICE
from ingle.storage.bindings import Bindings
from ingle.worker.networking import Networking

#: Requests that are for networks begin so.
PREFIX = "network-"

Document = dict[str, Any]


def network_operator(
    networking: Networking, networks: Networks, bindings: Bindings
) -> Callable[[Document], Awaitable[Document]]:
    async def answer(request: Document) -> Document:
        try:
            match str(request.get("do", "")).removeprefix(PREFIX):
                case "show":
                    return await networking.show()
                case "bind":
                    return await _bind(str(request.get("subnet")), str(request.get("device")))
                case "unbind":
                    return await _unbind(str(request.get("subnet")))
        except (NetworkError, OSError) as error:
            return {"error": str(error)}
        return {"error": "The request is not known to this server."}

    async def _bind(subnet: str, device: str) -> Document:
        if networks.get(Subnet, subnet) is None:
            return {"error": f"There is no subnet {subnet}."}
        if not DEVICE.fullmatch(device):
            return {"error": f"{device!r} is no device's name."}
        if subnet in bindings.fixed:
            return {"error": f"The settings bind {subnet} to {bindings.fixed[subnet]}."}
        if device not in await networking.devices():
            return {"error": f"This machine has no device {device}."}
        await bindings.bind(subnet, device)
        networking.bindings_changed()
        return {"bound": device}

    async def _unbind(subnet: str) -> Document:
        if subnet in bindings.fixed:
            return {"error": f"The settings bind {subnet} to {bindings.fixed[subnet]}."}
        if subnet not in bindings:
            return {"error": f"{subnet} is not bound."}
        await bindings.unbind(subnet)
        networking.bindings_changed()
        return {"unbound": subnet}

    return answer
