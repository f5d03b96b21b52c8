"""Every change of networks: decided, made durable, then put into the catalog; one at a time in an account and region.

Used by the EC2 API, and by Lambda's side for the interfaces of functions.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

from ingle.catalog.networks import Networks
from ingle.domain.clock import Clock, Ids
from ingle.storage.store import NetworkStore
from ingle.supporting.ec2 import defaults
from ingle.supporting.ec2.errors import DryRun
from ingle.supporting.ec2.scene import Outcome, Scene

_ID_DIGITS = 17


class NetworkRecords:
    """Calls may raise what the decision raises, StorageFull and StorageUnavailable, and change nothing when they do."""

    def __init__(self, store: NetworkStore, networks: Networks, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._exclusive: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self.networks = networks

    async def load(self) -> None:
        """What is stored, into the catalog."""
        self.networks.apply(await self._store.load_networks())

    def scene(self, account: str, region: str) -> Scene:
        return Scene(
            networks=self.networks, account=account, region=region, now=int(self._clock.now()), new_id=self._new_id,
            new_uuid=self._ids.uuid,
        )  # fmt: skip

    async def opened(self, account: str, region: str) -> Scene:
        """The networks of an account in a region, where the default ones are made when they are first looked at."""
        scene = self.scene(account, region)
        if defaults.opening(scene):
            await self.change(account, region, lambda scene: Outcome({}, put=defaults.opening(scene)))
        return scene

    async def change(
        self, account: str, region: str, decide: Callable[[Scene], Outcome], *, dry: bool = False
    ) -> Outcome:
        """What `decide` comes to, once it is durable. `dry`: raise DryRun in place of making it so."""
        async with self._exclusive[account, region]:
            outcome = decide(self.scene(account, region))
            if dry:
                raise DryRun
            if outcome.put or outcome.removed:
                await self._store.change_networks(outcome.put, outcome.removed)
                self.networks.apply(outcome.put, outcome.removed)
            return outcome

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}-{self._ids.uuid().replace('-', '')[-_ID_DIGITS:]}"
