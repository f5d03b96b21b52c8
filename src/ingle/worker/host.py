"""This machine's worker: what running a version takes, and the environments made from it.

Implements `worker.client.WorkerClient` in the server's process. Zygotes and sandboxes that are prepared ahead are
`worker.stock`'s, what differs between languages is in `worker.families`.
"""

from __future__ import annotations

import asyncio
import platform
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol, Self

from ingle.artifacts import PackageError
from ingle.catalog import Prepared
from ingle.domain.clock import Clock
from ingle.domain.errors import InterfaceNotReady, ServiceError, VariablesUnreadable
from ingle.domain.function import Function, FunctionKey, Package, Version
from ingle.domain.lifecycle import starts_from_snapshot
from ingle.domain.runtimes import runtime_version_arn
from ingle.domain.tracing import ACTIVE
from ingle.domain.zones import zone_id
from ingle.observability.log import Logger
from ingle.observability.spans import Source
from ingle.observability.traces import Traces
from ingle.runtime_api.identity import Identity
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient
from ingle.sandbox.launch import Isolation
from ingle.sandbox.seccomp import compile_filter
from ingle.storage.errors import StorageError
from ingle.supporting.execution_roles import ExecutionRoles, RoleSession
from ingle.worker.bases import Bases
from ingle.worker.client import CannotPlace
from ingle.worker.environment import Environment
from ingle.worker.file_systems import mount, require_known
from ingle.worker.interpreters import Interpreter
from ingle.worker.inventory import Alive, describe
from ingle.worker.launch import INIT_LIMIT, Launch
from ingle.worker.launch_plan import (
    Place,
    ahead,
    command,
    extension_settings,
    initialization,
    settings,
    variables,
)
from ingle.worker.lifecycle import State
from ingle.worker.networking import Networking
from ingle.worker.opened import OpenedVersion, OpenVariables
from ingle.worker.output import EventSink, EventWriter, LostLog
from ingle.worker.platform_log import Report, RuntimeVersion, not_started
from ingle.worker.preparation import Packages, Preparation, Ready
from ingle.worker.segments import DAEMON_ADDRESS, SegmentReceiver, function_segment
from ingle.worker.snapshots import INIT_LIMIT as SNAPSHOT_INIT_LIMIT
from ingle.worker.snapshots import InitialisationFailed, Snapshots
from ingle.worker.stock import Kind, Stock

log = Logger("worker")

#: How often a sandbox is tried for: a killed zygote shows as a broken channel first, then as missing, then it is back.
_TRIES = 3
#: How long leaving waits for environments to be gone, in seconds.
_STOP_SECONDS = 5.0
#: In the name of the log stream that tells why environments were not started.
_NOT_STARTED = "0" * 32


class LogStreams(Protocol):
    def stream(self, account: str, region: str, group: str, stream: str) -> EventSink: ...


#: Serve Ingle's API on a socket, to the environment of this id; the result ends that.
ServeApi = Callable[["Sandbox", str], Awaitable[Callable[[], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """`runtimes_dir`: what is installed for runtimes. `stock`: sandboxes kept ready per zygote."""

    interpreters: tuple[Interpreter, ...]
    runtimes_dir: Path
    stock: int
    serve_api: bool
    #: The directories that environments may share, see `sandbox.shares`.
    shares: frozenset[str] = frozenset()


class Role(Enum):
    """What an environment is for."""

    ORDINARY = auto()
    TEMPLATE = auto()  # it is initialised and cloned, and serves nobody
    CLONE = auto()
    PROVISIONED = auto()  # it is initialised ahead of its invocations


class Host:
    """`async with Host(...) as host`: leaving stops every environment."""

    def __init__(
        self, options: HostOptions, sandboxes: SupervisorClient, packages: Packages, logs: LogStreams, clock: Clock,
        serve_api: ServeApi, traces: Traces, open_variables: OpenVariables, roles: ExecutionRoles,
        networking: Networking,
    ) -> None:  # fmt: skip
        self._options = options
        self._sandboxes = sandboxes
        self._logs = logs
        self._clock = clock
        self._serve_api = serve_api
        self._traces = traces
        self._open_variables = open_variables
        self._roles = roles
        self._networking = networking
        self._environments: set[Environment] = set()
        self._tasks: set[asyncio.Future[object]] = set()
        self._namespaces = sandboxes.isolation is not Isolation.PROCESS
        bases = Bases(options.interpreters, options.runtimes_dir, namespaces=self._namespaces)
        self._stock = Stock(sandboxes, options.stock, lambda name: self._preparation.zygote_lost(name))
        self._preparation = Preparation(bases, packages, self._stock, namespaces=self._namespaces)
        self._seccomp, self._template_seccomp = self._compile_seccomp()
        self._snapshots = Snapshots(sandboxes, self._open_for_snapshot, networking.choose)

    @staticmethod
    def _compile_seccomp() -> tuple[bytes, bytes]:
        """The filter of environments, and that of templates, whose forks make namespaces."""
        try:
            return compile_filter(), compile_filter(cloning=True)
        except KeyError:
            log.warning("no system-call filter for this machine", machine=platform.machine())
            return b"", b""

    async def __aenter__(self) -> Self:
        await self._stock.__aenter__()
        await self._snapshots.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._snapshots.__aexit__()
        await self._stock.__aexit__()
        for environment in list(self._environments):
            environment.stop()
        endings = [asyncio.ensure_future(environment.gone()) for environment in list(self._environments)]
        if endings:
            # The supervisor ends what is left when its channel closes.
            _done, left = await asyncio.wait(endings, timeout=_STOP_SECONDS)
            for ending in left:
                ending.cancel()

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- preparing --------------------------------------------------------------------------------------------------

    async def prepare(self, version: Version) -> Prepared:
        runtime = version.configuration.runtime
        try:
            opened = self._opened_for_preparation(version)
            ready = await self._preparation.ready(opened)
            await self._networking.prepare(version)
            self._stock.want(*self._kind(opened, ready))
            if starts_from_snapshot(version):
                await self._snapshots.make(version)
        except InterfaceNotReady as error:
            return Prepared(reason_code="InvalidConfiguration", reason=error.message)
        except VariablesUnreadable as error:
            return Prepared(reason_code=error.state_code, reason=error.message)
        except InitialisationFailed as error:
            return Prepared(reason_code="FunctionError", reason=str(error))
        except PackageError as error:
            return Prepared(reason_code="InvalidZipFileException", reason=str(error))
        except CannotPlace as error:
            return Prepared(reason_code="InvalidRuntime", reason=str(error))
        except (SandboxError, StorageError, OSError) as error:
            log.error("a runtime cannot be started", runtime=runtime, reason=str(error))
            return Prepared(reason_code="InternalError", reason=f"The runtime {runtime} cannot be started: {error}")
        return Prepared()

    def _opened_for_preparation(self, version: Version) -> OpenedVersion:
        """Without its variables where they cannot be read now: that is told when an environment is started."""
        try:
            return OpenedVersion(version=version, variables=self._open_variables(version))
        except ServiceError:
            return OpenedVersion(version=version)

    def _kind(self, opened: OpenedVersion, ready: Ready) -> tuple[Kind, dict[str, Any] | None]:
        """Of which kind a sandbox for a version is, and what is executed ahead of time in it.

        Links into private networks are made when it is taken: there are many of those, and few sandboxes for each.
        """
        early = ahead(opened, self._preparation.layout(ready), self._seccomp)
        memory = None if early is None else opened.configuration.memory
        network = self._networking.usual if opened.configuration.attached_vpc is None else None
        return Kind(zygote=ready.zygote, memory_mb=memory, network=network), early

    # --- environments -----------------------------------------------------------------------------------------------

    async def start(self, version: Version, *, provisioned: bool = False) -> Environment:
        require_known(version, self._options.shares)
        await self._networking.prepare(version)
        opened = self._opened(version)
        ready = await self._ready(opened)
        clone = await self._snapshots.clone(version)
        if clone is not None:
            return await self._open(opened, ready, clone, Role.CLONE)
        for left in reversed(range(_TRIES)):
            try:
                sandbox = await self._take(opened, ready)
                break
            except CannotPlace as error:
                if not left:
                    raise
                log.warning("a sandbox is tried for again", function=version.key.name, reason=str(error))
            ready = await self._ready(opened)
        return await self._open(opened, ready, sandbox, Role.PROVISIONED if provisioned else Role.ORDINARY)

    async def _ready(self, opened: OpenedVersion) -> Ready:
        """Raises CannotPlace."""
        try:
            return await self._preparation.ready(opened)
        except (PackageError, SandboxError, StorageError, OSError) as error:
            raise CannotPlace(str(error)) from error

    def _opened(self, version: Version) -> OpenedVersion:
        """Raises the ServiceError that an invocation is to get; the function's log has it, too."""
        try:
            return OpenedVersion(version=version, variables=self._open_variables(version))
        except ServiceError as error:
            self.tell(version, error.message or error.code)
            raise

    def tell(self, version: Version, reason: str) -> None:
        """Tell a function's owner what none of its environments says: a line in a stream that is the same all day."""
        key, group = version.key, version.configuration.logging.group
        sink = self._logs.stream(key.account, key.region, group, self._stream_name(version, _NOT_STARTED))
        not_started(version, EventWriter(sink), reason)

    async def _take(self, opened: OpenedVersion, ready: Ready) -> Sandbox:
        network = self._networking.choose(opened.version)
        kind, early = self._kind(opened, ready)
        try:
            sandbox = await self._stock.take(kind, early, opened.configuration.ephemeral_storage)
            if network != kind.network and network is not None:
                self._sandboxes.attach(sandbox, network)
            await mount(self._sandboxes, sandbox, opened.version)
        except SandboxError as error:
            raise CannotPlace(str(error)) from error
        return sandbox

    async def _open_for_snapshot(self, version: Version) -> Environment:
        """An environment for the initialisation of a version that is being published.

        Raises CannotPlace, and VariablesUnreadable.
        """
        opened = self._opened(version)
        ready = await self._ready(opened)
        role = Role.TEMPLATE if self._not_cloneable(ready) is None else Role.ORDINARY
        return await self._open(opened, ready, await self._take(opened, ready), role)

    def _not_cloneable(self, ready: Ready) -> str | None:
        """Why environments of a version cannot be cloned, whatever its code does; None if they can."""
        if not self._namespaces:
            return "this server runs functions as plain processes"
        if not ready.forked:
            return "its runtime has to be executed"
        return "it has extensions" if ready.extensions else None

    async def _open(self, opened: OpenedVersion, ready: Ready, sandbox: Sandbox, role: Role) -> Environment:
        session: RoleSession | None = None
        try:
            session = self._roles.begin(opened.version)
            environment = self._environment(opened, sandbox, ready, role, session)
            await environment.open()
            receiver = await self._receive_segments(opened.version, sandbox)
        except BaseException as error:
            self._sandboxes.destroy(sandbox)
            if session is not None:
                session.end()
            if isinstance(error, (OSError, ValueError, SandboxError)):
                raise CannotPlace(str(error)) from error
            raise
        self._environments.add(environment)
        self._spawn(self._accompany(environment, receiver, session))
        return environment

    def _environment(
        self, opened: OpenedVersion, sandbox: Sandbox, ready: Ready, role: Role, session: RoleSession
    ) -> Environment:
        version = opened.version
        name = self._stream_name(version, uuid.uuid4().hex)
        key = version.key
        sink: EventSink = LostLog()
        if session.may_log():
            sink = self._logs.stream(key.account, key.region, version.configuration.logging.group, name)
        launch = self._launch(opened, sandbox, ready, name, role, session)

        def traced(report: Report) -> None:
            if self._traces.exporting:
                self._traces.put(Source.of(version), function_segment(version, report))

        return Environment(version, sandbox, self._sandboxes, sink, name, launch, self._spawn, traced)

    async def _receive_segments(self, version: Version, sandbox: Sandbox) -> SegmentReceiver | None:
        """The X-Ray daemon's socket inside, where traces may be of use; other cold starts do not pay for it.

        Plain processes share the host's network, where the daemon's address is not ours to have.
        """
        wanted = self._traces.exporting or version.configuration.tracing_mode == ACTIVE
        if not wanted or not self._namespaces:
            return None
        sock = await self._sandboxes.make_socket(sandbox, "udp", DAEMON_ADDRESS)
        source = Source.of(version)
        return SegmentReceiver(asyncio.get_running_loop(), sock, lambda data: self._traces.put(source, data))

    async def _accompany(
        self, environment: Environment, receiver: SegmentReceiver | None, session: RoleSession
    ) -> None:
        """What lasts as long as the environment: what is served inside it, and its place in our books."""
        close = None
        try:
            if self._options.serve_api:
                close = await self._serve_api(environment.sandbox, environment.log_stream)
            else:
                environment.sandbox.api.close()
            await environment.gone()
        except OSError as error:
            log.error("an environment has no API inside", reason=str(error))
            await environment.gone()
        finally:
            self._environments.discard(environment)
            session.end()
            if close is not None:
                close()
            if receiver is not None:
                receiver.close()

    def _launch(
        self, opened: OpenedVersion, sandbox: Sandbox, ready: Ready, log_stream: str, role: Role, session: RoleSession
    ) -> Launch:
        """What it returns holds the readable variables: an environment may have to start its runtime again."""
        version = opened.version
        runtime = version.configuration.runtime
        layout = self._preparation.layout(ready)
        identity = _identity(version, session)
        place = Place(
            runtime_api=sandbox.runtime_api_address,
            api=sandbox.api_address if self._options.serve_api else None,
            log_stream=log_stream,
            identity=identity,
            layout=layout,
            provisioned=role is Role.PROVISIONED,
        )
        programs = command(opened, layout, ready.forked)
        if programs is not None and not self._namespaces:
            programs = [[layout.here(part) for part in program] for program in programs]
        extensions = ready.extensions

        def extend() -> dict[str, Any]:
            return extension_settings(opened, place, extensions, self._seccomp)

        def start() -> None:
            if role is Role.CLONE:
                resume = {"variables": variables(opened, place)}
                self._sandboxes.run(sandbox, version.configuration.memory, resume)
                return
            message = settings(opened, place, programs, self._seccomp)
            self._sandboxes.run(sandbox, version.configuration.memory, message)

        async def hold() -> None:
            message = settings(opened, place, programs, self._template_seccomp)
            message["template"] = {"seccomp": self._seccomp.hex()}
            await self._sandboxes.make_template(sandbox, version.configuration.memory, message)

        snap_start = starts_from_snapshot(version)
        long = snap_start or place.provisioned
        arn = runtime_version_arn(runtime, version.key.region)
        return Launch(
            start=start,
            runtime=RuntimeVersion(label=f"{ready.base.family.label(runtime)}.v1", arn=arn),
            identity=identity,
            impossible=ready.impossible,
            extensions=extensions,
            extend=extend,
            hold=hold if role is Role.TEMPLATE else None,
            not_cloneable=self._not_cloneable(ready),
            restores=role is Role.CLONE,
            restorable=snap_start,
            initialization=initialization(version, place.provisioned),
            init_limit=max(SNAPSHOT_INIT_LIMIT, version.configuration.timeout) if long else INIT_LIMIT,
            provisioned=place.provisioned,
        )

    def _stream_name(self, version: Version, digits: str) -> str:
        """`YYYY/MM/DD/[version]` and 32 hexadecimal `digits`; a log group of its own has the function's name before."""
        day = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y/%m/%d")
        default = version.configuration.logging.group == f"/aws/lambda/{version.key.name}"
        return f"{day}/{'' if default else version.key.name}[{version.version}]{digits}"

    def census(self) -> dict[str, int]:
        """How many environments are in each state."""
        found = {state.value: 0 for state in State}
        for environment in self._environments:
            found[environment.state.value] += 1
        return found

    def alive(self, account: str, region: str) -> list[Alive]:
        """The environments of an account in a region, those included that are on their way out."""
        there = (environment for environment in self._environments if environment.state is not State.DEAD)
        return [
            describe(environment) for environment in there
            if (environment.version.key.account, environment.version.key.region) == (account, region)
        ]  # fmt: skip

    @property
    def zygotes(self) -> int:
        return self._stock.zygotes

    def uses(self, package: Package) -> bool:
        """Whether an environment that is not gone yet runs from `package`."""
        configurations = {id(found): found for found in (item.version.configuration for item in self._environments)}
        return any(package in configuration.packages for configuration in configurations.values())

    def warm_up(self, versions: Iterable[Version]) -> None:
        """Start, in the background, what running `versions` needs; a failure shows again when one is invoked."""
        versions = list(versions)
        first = {version.configuration.runtime: version for version in versions}
        for version in first.values():
            self._spawn(self.prepare(version))
        self._spawn(self._initialise_again([version for version in versions if starts_from_snapshot(version)]))

    async def _initialise_again(self, versions: list[Version]) -> None:
        """One after another, so that invocations find processors free meanwhile."""
        for version in versions:
            await self.prepare(version)

    def function_changed(self, key: FunctionKey, function: Function | None) -> None:
        """Drop the snapshots of versions that no longer exist."""
        self._snapshots.function_changed(key, function)

    def forget(self, version: Version) -> None:
        """Drop what was prepared for `version`; it is prepared again if it is used again."""
        self._preparation.forget(version)


def _identity(version: Version, session: RoleSession) -> Identity:
    """What a new environment of `version` can ask about itself."""
    return Identity(
        zone=zone_id(version.key.region), metadata_token=secrets.token_urlsafe(32),
        credentials_token=secrets.token_urlsafe(32), credentials=session.credentials,
    )  # fmt: skip
