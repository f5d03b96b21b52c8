"""Assigns execution environments to invocations.

Each version in use has a pool. An invocation takes the environment that was idle for the shortest time; if there is
none, one is started, and the invocation takes that or the first that becomes idle, whichever is there sooner.
Environments are frozen shortly after they become idle, stopped when idle for long or when their version is no longer
served. Environments that are provisioned (`placement.provisioning`) come first and stay. Reads the catalog, never the
control plane; used by `invoke`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Self

from ingle.background import Background
from ingle.catalog import Catalog, PreparationRequest, Prepared
from ingle.domain.errors import InternalFailure, ServiceError, TooManyRequests
from ingle.domain.function import Function, FunctionKey, Package, Version
from ingle.observability.log import Logger
from ingle.placement.pool import Pool, PoolKey, key_of, same_start
from ingle.placement.provisioning import ProvisionedUse, Provisioning
from ingle.placement.scaling import ScalingRate
from ingle.worker.client import CannotPlace, EnvironmentClient, WorkerClient

log = Logger("placement")

#: An idle environment is frozen after this time, in seconds: long enough for a caller that invokes back to back.
FREEZE_AFTER = 0.005
_FREEZE_SWEEP = 0.010
_RETIRE_SWEEP = 1.0
TENANTS_PER_CONCURRENCY = 2.5
#: How long an invocation waits for an environment that has just served, before another one is started; seconds.
_RETURN_SECONDS = 0.1


class Placement:
    """`async with Placement(...)`. `limit` is the most environments at one time.

    An environment is stopped after `idle_timeout` seconds without an invocation, and replaced after `lifetime` seconds.
    """

    def __init__(
        self, catalog: Catalog, worker: WorkerClient, *, limit: int, idle_timeout: float, lifetime: float
    ) -> None:
        self._catalog = catalog
        self._worker = worker
        self._limit = limit
        self._idle_timeout = idle_timeout
        self._lifetime = lifetime
        self._pools: dict[PoolKey, Pool] = {}
        #: The pool of every environment that counts.
        self._homes: dict[EnvironmentClient, Pool] = {}
        #: Pools of versions that are no longer served, as long as something is left in them.
        self._retired: set[Pool] = set()
        self._total = 0
        #: Environments of tenants, by account and region, with those on their way.
        self._tenants: Counter[tuple[str, str]] = Counter()
        self._cooling: dict[EnvironmentClient, None] = {}
        self._sweeping = False
        self._rate = ScalingRate()
        self._background = Background()
        self._provisioning = Provisioning(self, catalog.concurrency, worker, self._background)
        catalog.subscribe(self._catalog_changed)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._background.__aenter__()
        self._background.start(self._prepare_on_request())
        self._background.start(self._retire_idle())
        for function in self._catalog:
            self._provisioning.changed(function.key, function)
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in (*self._pools.values(), *self._retired):
            for waiter in pool.waiting:
                self._fail(waiter, InternalFailure("The server is stopping."))
        self._provisioning.close()
        await self._background.__aexit__()

    # --- for the invoker --------------------------------------------------------------------------------------------

    async def acquire(self, version: Version, tenant: str | None = None) -> EnvironmentClient:
        """An environment for one invocation, which no other tenant has used; give it back with `release`.

        Raises TooManyRequests, InternalFailure.
        """
        pool = self.pool(version, tenant)
        while idle := pool.provisioned or pool.idle:
            environment = idle.pop()
            self._cooling.pop(environment, None)
            if environment.usable and environment.ready:
                if environment.provisioned:
                    pool.note_use()
                return environment
            self._dismiss(pool, environment)
        waiter: asyncio.Future[EnvironmentClient] = self._loop.create_future()
        pool.waiting.append(waiter)
        self._scale_out(pool)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release(waiter.result())
            raise

    def release(self, environment: EnvironmentClient) -> None:
        """The invocation is over; the environment may still be on its way to its next poll."""
        pool = self._homes.get(environment)
        if pool is None:
            environment.stop()
        elif pool.retired or not environment.alive:
            self._dismiss(pool, environment)
        elif self._loop.time() >= environment.expires_at:
            self._dismiss(pool, environment)
            self._scale_out(pool)
        elif environment.ready:
            self._offer(pool, environment)
        else:
            self._background.start(self._offer_when_ready(pool, environment))

    def uses(self, version: Version) -> bool:
        """Whether a version has an environment, or is about to."""
        if version.configuration.tenant_isolation is None:
            pool = self._pools.get(key_of(version))
            return pool is not None and not pool.empty
        return any(not pool.empty for pool in self._pools_of(version))

    def needs(self, package: Package) -> bool:
        """Whether an environment that runs from `package` is on its way, or awaited: also of versions that are gone,
        since an invocation ends with what it began with."""
        pools = [pool for pool in (*self._pools.values(), *self._retired) if pool.starting or pool.waiting]
        return any(package in pool.version.configuration.packages for pool in pools) or self._provisioning.needs(
            package
        )

    def provisioned_use(self) -> Iterator[ProvisionedUse]:
        """How much of what is provisioned was in use at the most, since the last call."""
        return self._provisioning.use()

    # --- pools ------------------------------------------------------------------------------------------------------

    def _pools_of(self, version: Version) -> list[Pool]:
        """Those of a version, with all of its tenants'."""
        return [pool for key, pool in self._pools.items() if key[:3] == key_of(version)[:3]]

    def pool(self, version: Version, tenant: str | None = None) -> Pool:
        key = key_of(version, tenant)
        pool = self._pools.get(key)
        if pool is not None and not same_start(pool.version, version):
            # A function that was deleted and made again counts its serials from the start.
            del self._pools[key]
            self._retire(pool)
            pool = None
        if pool is None:
            pool = self._pools[key] = Pool(version, tenant)
        return pool

    def _offer(self, pool: Pool, environment: EnvironmentClient) -> None:
        """Give it to the invocation that has waited longest, or let it wait for the next one."""
        while pool.waiting:
            waiter = pool.waiting.popleft()
            if not waiter.done():
                waiter.set_result(environment)
                return
        if pool.retired:
            self._dismiss(pool, environment)
            return
        (pool.provisioned if environment.provisioned else pool.idle).append(environment)
        self.cool(environment)

    def cool(self, environment: EnvironmentClient) -> None:
        """From now on nobody uses it: it is frozen shortly."""
        environment.idle_since = self._loop.time()
        self._cooling[environment] = None
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(_FREEZE_SWEEP, self._freeze_idle)

    async def _offer_when_ready(self, pool: Pool, environment: EnvironmentClient) -> None:
        """For a moment the environment counts as one on its way: most are back before another one could be started."""
        polling = self._background.start(environment.when_polling())
        pool.starting += 1
        try:
            await asyncio.wait([polling], timeout=_RETURN_SECONDS)
        finally:
            pool.starting -= 1
        if not polling.done():
            self._scale_out(pool)
        if await polling and await self._provisioning.initialised(environment):
            self._offer(pool, environment)
        else:
            self._dismiss(pool, environment)
            self._scale_out(pool)

    def _dismiss(self, pool: Pool, environment: EnvironmentClient) -> None:
        environment.stop()
        self._cooling.pop(environment, None)
        if self._homes.pop(environment, None) is not None:
            pool.environments.discard(environment)
            self._total -= 1
            self._count_tenants(pool, -1)
            if environment.provisioned:
                self._provisioning.lost(environment)
        self._drop_if_done(pool)

    def _drop_if_done(self, pool: Pool) -> None:
        """A pool without environments and work to come goes once its version is no longer served."""
        if pool.retired and not pool.forgotten and pool.empty:
            pool.forgotten = True
            self._retired.discard(pool)
            key = key_of(pool.version, pool.tenant)
            if self._pools.get(key) is pool:
                del self._pools[key]
            if not any(same_start(other.version, pool.version) for other in self._siblings(pool)):
                self._worker.forget(pool.version)

    def _scale_out(self, pool: Pool) -> None:
        """Start one environment for each waiting invocation that has none on its way."""
        while pool.starting < sum(not waiter.done() for waiter in pool.waiting):
            # The invocations before the one that is refused have environments on their way.
            if not self._rate.take(pool.version.key, self._loop.time()):
                self._fail(pool.waiting.pop(), _throttled("FunctionInvocationRateLimitExceeded"))
                continue
            if pool.tenant is not None and not self._has_room_for_tenants(pool.version.key):
                self._fail(pool.waiting.pop(), TooManyRequests("Rate exceeded"))
                continue
            if not self.claim():
                self._fail(pool.waiting.pop(), _throttled("ConcurrentInvocationLimitExceeded"))
                continue
            self._count_tenants(pool, 1)
            pool.starting += 1
            self._background.start(self._start(pool))

    def _siblings(self, pool: Pool) -> list[Pool]:
        """Other pools of the same version: of its other tenants."""
        if pool.tenant is None:
            return []
        place = key_of(pool.version)[:3]
        every = (*self._pools.values(), *self._retired)
        return [other for other in every if other is not pool and key_of(other.version)[:3] == place]

    def _has_room_for_tenants(self, key: FunctionKey) -> bool:
        """An account has 2.5 environments of tenants in a region, idle ones too, for each invocation it may run."""
        return self._tenants[key.account, key.region] < self._catalog.concurrency.limit * TENANTS_PER_CONCURRENCY

    def _count_tenants(self, pool: Pool, number: int) -> None:
        if pool.tenant is not None:
            self._tenants[pool.version.key.account, pool.version.key.region] += number

    def claim(self) -> bool:
        """Room for one more environment, that of an idle one if need be."""
        if self._total >= self._limit and not self._evict():
            return False
        self._total += 1
        return True

    def disclaim(self) -> None:
        """Nothing became of an environment that had room."""
        self._total -= 1

    def settle(self, pool: Pool, environment: EnvironmentClient) -> None:
        """It has been started, and belongs to `pool` from now on."""
        environment.expires_at = self._loop.time() + self._lifetime
        self._homes[environment] = pool
        pool.environments.add(environment)

    def serve(self, environment: EnvironmentClient) -> None:
        """A provisioned environment takes invocations from now on."""
        self._offer(self._homes[environment], environment)

    def drop(self, environment: EnvironmentClient) -> None:
        """Stop a provisioned environment that nobody uses at this moment."""
        pool = self._homes.get(environment)
        if pool is None:
            environment.stop()
            return
        if environment in pool.provisioned:
            pool.provisioned.remove(environment)
        self._dismiss(pool, environment)

    @staticmethod
    def outgrow(environment: EnvironmentClient) -> None:
        """A provisioned environment that is in use goes as soon as it is not."""
        environment.provisioned = False
        environment.expires_at = 0.0

    async def _start(self, pool: Pool) -> None:
        failure: Exception | None = None
        try:
            environment = await self._worker.start(pool.version)
        except Exception as error:
            # One function's trouble is not the server's: whatever it is, only an invocation of this function fails.
            failure = error
        finally:
            pool.starting -= 1
        if failure is not None:
            self._failed_to_start(pool, failure)
            return
        self.settle(pool, environment)
        self._offer(pool, environment)

    def _failed_to_start(self, pool: Pool, error: Exception) -> None:
        """Told to the invocation that has waited longest, and to no other."""
        unforeseen = None if isinstance(error, (CannotPlace, ServiceError)) else error
        name = pool.version.key.name
        log.error("no environment can be started", function=name, reason=str(error), exc_info=unforeseen)
        self.disclaim()
        self._count_tenants(pool, -1)
        general = InternalFailure("The execution environment could not be started.")
        refusal = error if isinstance(error, ServiceError) else general
        while pool.waiting and not self._fail(pool.waiting.popleft(), refusal):
            pass
        self._drop_if_done(pool)

    @staticmethod
    def _fail(waiter: asyncio.Future[EnvironmentClient], error: Exception) -> bool:
        """False if nobody waits for it any more."""
        if waiter.done():
            return False
        waiter.set_exception(error)
        return True

    def _evict(self) -> bool:
        """Stop the environment that was idle for the longest time, whosever it is; False if none is idle."""
        candidates = [
            (pool.idle[0].idle_since, number) for number, pool in enumerate(self._pools.values()) if pool.idle
        ]
        if not candidates:
            return False
        pool = list(self._pools.values())[min(candidates)[1]]
        self._dismiss(pool, pool.idle.pop(0))
        return True

    # --- in the background ------------------------------------------------------------------------------------------

    def _freeze_idle(self) -> None:
        due = self._loop.time() - FREEZE_AFTER
        for environment in list(self._cooling):
            if not environment.idle:
                del self._cooling[environment]
            elif environment.idle_since <= due:
                del self._cooling[environment]
                environment.freeze()
        self._sweeping = bool(self._cooling)
        if self._sweeping:
            self._loop.call_later(_FREEZE_SWEEP, self._freeze_idle)

    async def _retire_idle(self) -> None:
        while True:
            await asyncio.sleep(_RETIRE_SWEEP)
            now = self._loop.time()
            for key, pool in list(self._pools.items()):
                for environment in [item for item in pool.idle if self._is_due(item, now)]:
                    pool.idle.remove(environment)
                    self._dismiss(pool, environment)
                # Provisioned ones go when they are broken, or old, and then one after another.
                for environment in [item for item in pool.provisioned if not item.usable]:
                    pool.provisioned.remove(environment)
                    self._dismiss(pool, environment)
                old = next((item for item in pool.provisioned if item.expires_at <= now), None)
                if old is not None and self._provisioning.complete(pool.version):
                    pool.provisioned.remove(old)
                    self._dismiss(pool, old)
                if pool.empty:
                    self._pools.pop(key, None)
            self._provisioning.check()
            self._rate.forget(now)

    def _is_due(self, environment: EnvironmentClient, now: float) -> bool:
        """Whether an idle environment goes."""
        late = environment.idle_since + self._idle_timeout <= now or environment.expires_at <= now
        return late or not environment.usable

    async def _prepare_on_request(self) -> None:
        while True:
            request = await self._catalog.preparations.get()
            self._background.start(self._prepare(request))

    async def _prepare(self, request: PreparationRequest) -> None:
        try:
            outcome = await self._worker.prepare(request.version)
        except Exception:  # the component prepares for all functions, and goes on for the others
            log.error("preparing a version failed", exc_info=True, function=request.version.key.name)
            outcome = Prepared(reason_code="InternalError", reason="The function could not be prepared.")
        if not request.outcome.done():
            request.outcome.set_result(outcome)

    def _catalog_changed(self, key: FunctionKey, function: Function | None) -> None:
        self._provisioning.changed(key, function)
        served = set() if function is None else {key_of(version)[:3] for version in function.versions.values()}
        if function is not None and function.serving is not None:
            served.add(key_of(function.serving)[:3])
        for pool_key in [item for item in self._pools if item[0] == key and item[:3] not in served]:
            self._retire(self._pools.pop(pool_key) if function is None else self._pools[pool_key])

    def _retire(self, pool: Pool) -> None:
        pool.retired = True
        if not pool.forgotten:
            self._retired.add(pool)
        while pool.idle:
            self._dismiss(pool, pool.idle.pop())
        while pool.provisioned:
            self._dismiss(pool, pool.provisioned.pop())
        self._drop_if_done(pool)


def _throttled(reason: str) -> TooManyRequests:
    return TooManyRequests("Rate Exceeded.", Reason=reason, retryAfterSeconds="1")
