"""Which network a new environment of a version is attached to.

`outward` is the network of functions without VpcConfig; where there is none, such an environment has no way out.
Used by `worker.host` on the event loop.
"""

from __future__ import annotations

from ingle.domain.function import Version
from ingle.network.client import OUTWARD, NetworkClient


class Networking:
    """`outward`: whether functions that are in no private network may leave the machine."""

    def __init__(self, network: NetworkClient, *, outward: bool) -> None:
        self._network = network
        self._outward = outward and network.available and network.problem is None

    @property
    def usual(self) -> str | None:
        """The network of environments whose version is in no private one."""
        return OUTWARD if self._outward else None

    def choose(self, version: Version) -> str | None:
        """The network of a new environment of `version`; None: none."""
        vpc = version.configuration.vpc
        return None if vpc is not None and vpc.attached else self.usual
