"""Assigns execution environments to invocations.

Each version in use has a pool. An invocation takes the environment that was idle for the shortest time; if there is
none, one is started, and the invocation takes that or the first that becomes idle, whichever is there sooner.
Environments are frozen shortly after they become idle, stopped when idle for long or when their version is no longer
served. Reads the catalog, never the control plane; used by `invoke`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Self

from ingle.background import Background
from ingle.catalog import Catalog, PreparationRequest, Prepared
from ingle.domain.errors import InternalFailure, TooManyRequests
from ingle.domain.function import Function, FunctionKey, Version
from ingle.observability.log import Logger
from ingle.worker.client import CannotPlace, EnvironmentClient, WorkerClient

log = Logger("placement")

#: An idle environment is frozen after this time, in seconds: long enough for a caller that invokes back to back.
FREEZE_AFTER = 0.005
_FREEZE_SWEEP = 0.010
_RETIRE_SWEEP = 1.0
#: How long an invocation waits for an environment that has just served, before another one is started; seconds.
_RETURN_SECONDS = 0.1

PoolKey = tuple[FunctionKey, str, int]


@dataclass(slots=True, eq=False)
class Pool:
    """The environments of one version. Idle ones are taken last in, first out."""

    version: Version
    idle: list[EnvironmentClient] = field(default_factory=list)
    waiting: deque[asyncio.Future[EnvironmentClient]] = field(default_factory=deque)
    environments: set[EnvironmentClient] = field(default_factory=set)
    starting: int = 0
    retired: bool = False
    forgotten: bool = False

    @property
    def empty(self) -> bool:
        """No environments, and nobody who waits for one."""
        return not (self.environments or self.starting or self.waiting)


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
        #: The pool of every environment that counts; a pool that was retired is found here only.
        self._homes: dict[EnvironmentClient, Pool] = {}
        self._total = 0
        self._cooling: dict[EnvironmentClient, None] = {}
        self._sweeping = False
        self._background = Background()
        catalog.subscribe(self._catalog_changed)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._background.__aenter__()
        self._background.start(self._prepare_on_request())
        self._background.start(self._retire_idle())
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools.values():
            for waiter in pool.waiting:
                self._fail(waiter, InternalFailure("The server is stopping."))
        await self._background.__aexit__()

    # --- for the invoker --------------------------------------------------------------------------------------------

    async def acquire(self, version: Version) -> EnvironmentClient:
        """An environment for one invocation; give it back with `release`. Raises TooManyRequests, InternalFailure."""
        pool = self._pool(version)
        while pool.idle:
            environment = pool.idle.pop()
            self._cooling.pop(environment, None)
            if environment.usable and environment.ready:
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

    # --- pools ------------------------------------------------------------------------------------------------------

    def _pool(self, version: Version) -> Pool:
        key = (version.key, version.version, version.serial)
        pool = self._pools.get(key)
        if pool is not None and not _same_start(pool.version, version):
            # A function that was deleted and made again counts its serials from the start.
            del self._pools[key]
            self._retire(pool)
            pool = None
        if pool is None:
            pool = self._pools[key] = Pool(version)
        return pool

    def _offer(self, pool: Pool, environment: EnvironmentClient) -> None:
        while pool.waiting:
            waiter = pool.waiting.popleft()
            if not waiter.done():
                waiter.set_result(environment)
                return
        if pool.retired:
            self._dismiss(pool, environment)
            return
        environment.idle_since = self._loop.time()
        pool.idle.append(environment)
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
        if await polling:
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
        self._drop_if_done(pool)

    def _drop_if_done(self, pool: Pool) -> None:
        """A pool without environments and work to come goes once its version is no longer served."""
        if pool.retired and not pool.forgotten and pool.empty:
            pool.forgotten = True
            self._worker.forget(pool.version)
            if self._pools.get(_key(pool.version)) is pool:
                del self._pools[_key(pool.version)]

    def _scale_out(self, pool: Pool) -> None:
        """Start one environment for each waiting invocation that has none on its way."""
        while pool.starting < sum(not waiter.done() for waiter in pool.waiting):
            if self._total >= self._limit and not self._evict():
                # The invocations before this one have environments on their way.
                error = TooManyRequests("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
                self._fail(pool.waiting.pop(), error)
                continue
            self._total += 1
            pool.starting += 1
            self._background.start(self._start(pool))

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
        environment.expires_at = self._loop.time() + self._lifetime
        self._homes[environment] = pool
        pool.environments.add(environment)
        self._offer(pool, environment)

    def _failed_to_start(self, pool: Pool, error: Exception) -> None:
        """Told to the invocation that has waited longest, and to no other."""
        unforeseen = None if isinstance(error, CannotPlace) else error
        name = pool.version.key.name
        log.error("no environment can be started", function=name, reason=str(error), exc_info=unforeseen)
        self._total -= 1
        refusal = InternalFailure("The execution environment could not be started.")
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
                if pool.empty:
                    self._pools.pop(key, None)

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
        served = set() if function is None else {_key(version) for version in function.versions.values()}
        if function is not None and function.serving is not None:
            served.add(_key(function.serving))
        for pool_key in [item for item in self._pools if item[0] == key and item not in served]:
            self._retire(self._pools.pop(pool_key) if function is None else self._pools[pool_key])

    def _retire(self, pool: Pool) -> None:
        pool.retired = True
        while pool.idle:
            self._dismiss(pool, pool.idle.pop())
        self._drop_if_done(pool)


def _same_start(one: Version, other: Version) -> bool:
    """Whether environments of `one` can serve `other`. Mostly they are the very same configuration."""
    return one.configuration is other.configuration or one.configuration == other.configuration


def _key(version: Version) -> PoolKey:
    return (version.key, version.version, version.serial)
