"""This machine's worker: what running a version takes, and the environments made from it.

Implements `worker.client.WorkerClient` in the server's process. Zygotes and sandboxes that are prepared ahead are
`worker.stock`'s, what differs between languages is in `worker.families`.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol, Self

from ingle.artifacts import PackageError
from ingle.catalog import Prepared
from ingle.domain.clock import Clock
from ingle.domain.function import Configuration, Function, FunctionKey, Package, Version
from ingle.domain.lifecycle import starts_from_snapshot
from ingle.domain.runtimes import is_python, runtime_version_arn
from ingle.observability.log import Logger
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient, ZygoteInfo, ZygoteSpec
from ingle.sandbox.launch import Isolation
from ingle.sandbox.seccomp import compile_filter
from ingle.storage.errors import StorageError
from ingle.worker.client import CannotPlace
from ingle.worker.environment import INIT_LIMIT, Environment, Launch
from ingle.worker.families import PYTHON, family_of
from ingle.worker.families.family import Family, Layout, Libraries, guest_directory, path_below
from ingle.worker.families.python_sdk_use import may_use_sdk
from ingle.worker.interpreters import Interpreter
from ingle.worker.launch_plan import (
    LIBRARY_PATH,
    OPT,
    PATH,
    CannotStart,
    Flavour,
    Place,
    ahead,
    check_bootstrap,
    command,
    extension_settings,
    initialization,
    must_execute,
    settings,
    variables,
)
from ingle.worker.layer_contents import extension_names, layer_modules
from ingle.worker.lifecycle import State
from ingle.worker.output import EventSink
from ingle.worker.platform_log import RuntimeVersion
from ingle.worker.snapshots import INIT_LIMIT as SNAPSHOT_INIT_LIMIT
from ingle.worker.snapshots import InitialisationFailed, Snapshots
from ingle.worker.stock import Kind, Stock

log = Logger("worker")

#: How long leaving waits for environments to be gone, in seconds.
_STOP_SECONDS = 5.0
#: What a zygote itself runs: files for the interpreter that forks, whatever the runtime.
_FORKER_FILES = (guest_directory("sandbox/inside"), guest_directory("runtimes/python"))


class Packages(Protocol):
    async def extract(self, package: Package) -> Path: ...
    async def merge(self, parts: Sequence[Package], tree: Package) -> Path: ...
    def top_level_modules(self, package: Package) -> frozenset[str]: ...


class LogStreams(Protocol):
    def stream(self, account: str, region: str, group: str, stream: str) -> EventSink: ...


#: Package, layer tree ("" without layers), whether a program is executed, runtime.
ReadyKey = tuple[str, str, bool, str]
#: Serve Ingle's API on a socket, to the environment of this id; the result ends that.
ServeApi = Callable[["Sandbox", str], Awaitable[Callable[[], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """`runtimes_dir`: what is installed for runtimes. `stock`: sandboxes kept ready per zygote."""

    interpreters: tuple[Interpreter, ...]
    runtimes_dir: Path
    stock: int
    serve_api: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What environments of one runtime are made from: the interpreter at /var/lang, and the one that forks them.

    `family` is that of the runtime, `lang` that of the interpreter: an OS-only runtime has the one that forks it there.
    """

    family: Family
    lang: Family
    interpreter: Interpreter
    forker: Interpreter

    @property
    def bare(self) -> str:
        """The zygote that has the standard library only."""
        return f"{self.interpreter.runtime}-{Flavour.BARE}"

    @property
    def warm(self) -> str:
        """The zygote that has imported the SDK."""
        return f"{self.interpreter.runtime}-{Flavour.WARM}"


class Role(Enum):
    """What an environment is for."""

    ORDINARY = auto()
    TEMPLATE = auto()  # it is initialised and cloned, and serves nobody
    CLONE = auto()
    PROVISIONED = auto()  # it is initialised ahead of its invocations


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What `prepare` found out about a version."""

    base: Base
    zygote: str
    forked: bool
    directory: Path
    layers: Path | None
    impossible: CannotStart | None
    extensions: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """A package that nobody used for a while is extracted again when it comes back."""
        return self.directory.is_dir() and (self.layers is None or self.layers.is_dir())


class Host:
    """`async with Host(...) as host`: leaving stops every environment."""

    def __init__(
        self, options: HostOptions, sandboxes: SupervisorClient, packages: Packages, logs: LogStreams, clock: Clock,
        serve_api: ServeApi,
    ) -> None:  # fmt: skip
        self._options = options
        self._sandboxes = sandboxes
        self._packages = packages
        self._logs = logs
        self._clock = clock
        self._serve_api = serve_api
        self._interpreters = {interpreter.runtime: interpreter for interpreter in options.interpreters}
        self._stock = Stock(sandboxes, options.stock, self._zygote_lost)
        self._ready: dict[ReadyKey, Ready] = {}
        self._environments: set[Environment] = set()
        self._tasks: set[asyncio.Future[object]] = set()
        self._namespaces = sandboxes.isolation is not Isolation.PROCESS
        self._seccomp, self._template_seccomp = self._compile_seccomp()
        self._snapshots = Snapshots(sandboxes, self._open_for_snapshot)

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
            ready = await self._get_ready(version)
            self._stock.want(*self._kind(version, ready))
            if starts_from_snapshot(version):
                await self._snapshots.make(version)
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

    async def _get_ready(self, version: Version) -> Ready:
        configuration = version.configuration
        tree = configuration.layer_tree
        runtime = configuration.runtime
        if family_of(runtime) is None:
            raise CannotPlace(f"Ingle does not run the runtime {runtime} yet.")
        key = (configuration.package.digest, tree.digest if tree else "", must_execute(version), runtime)
        known = self._ready.get(key)
        if known is not None and known.usable:
            return known
        base = self._base(runtime)
        directory = await self._packages.extract(configuration.package)
        layers = await self._extract_layers(configuration)
        impossible = None
        zygote, forked = base.bare, False
        if base.family.forks:
            zygote, forked = await self._choose_zygote(version, base, directory, layers)
        elif base.family.name == "provided":
            try:
                check_bootstrap([directory, *([layers] if layers else [])], platform.machine())
            except CannotStart as error:
                impossible = error
        await self._zygote(zygote, base)
        ready = Ready(
            base=base, zygote=zygote, forked=forked, directory=directory, layers=layers, impossible=impossible,
            extensions=extension_names(layers) if layers else (),
        )  # fmt: skip
        self._ready[key] = ready
        return ready

    async def _extract_layers(self, configuration: Configuration) -> Path | None:
        """What is at `/opt`; None without layers."""
        tree = configuration.layer_tree
        if tree is None:
            return None
        parts = [layer.package for layer in configuration.layers]
        return await (self._packages.merge(parts, tree) if len(parts) > 1 else self._packages.extract(tree))

    def _base(self, runtime: str) -> Base:
        """Raises CannotPlace where the machine has not what it takes."""
        family = family_of(runtime)
        assert family is not None
        forker = self._forker()
        if family.name == "provided":
            return Base(family=family, lang=PYTHON, interpreter=forker, forker=forker)
        name, runtimes_dir = family.interpreter_of(runtime), self._options.runtimes_dir
        interpreter = self._interpreters.get(name) or family.fetched(runtimes_dir, name)
        if interpreter is None:
            raise CannotPlace(family.missing(runtime))
        if lacking := family.lacking(runtimes_dir, name):
            raise CannotPlace(lacking)
        forks = interpreter if family.forks else forker
        return Base(family=family, lang=family, interpreter=interpreter, forker=forks)

    def _forker(self) -> Interpreter:
        """A Python to fork environments from that execute something else: the one that runs Ingle if possible."""
        own = f"python3.{sys.version_info[1]}"
        usable = [item for item in self._options.interpreters if is_python(item.runtime)]
        if not usable:
            raise CannotPlace("There is no Python interpreter on this machine to start environments from.")
        return next((item for item in usable if item.runtime == own), usable[0])

    async def _choose_zygote(
        self, version: Version, base: Base, directory: Path, layers: Path | None
    ) -> tuple[str, bool]:
        """(zygote, whether its forks serve the function themselves): no module of package or layers may be hidden."""
        modules = self._packages.top_level_modules(version.configuration.package)
        execute = must_execute(version)
        sources = [directory]
        if layers is not None:
            modules |= await asyncio.to_thread(layer_modules, layers, base.interpreter.runtime)
            sources.append(layers / "python")
            # Where layers are not at /opt, only a program that is executed finds their shared libraries.
            execute = execute or (not self._namespaces and (layers / "lib").is_dir())
        if not execute and self._libraries(base) and await asyncio.to_thread(may_use_sdk, *sources):
            warm = await self._zygote(base.warm, base)
            if not modules & warm.modules:
                return base.warm, True
        bare = await self._zygote(base.bare, base)
        return base.bare, not execute and not modules & bare.modules

    def _libraries(self, base: Base) -> Libraries | None:
        return base.lang.libraries(self._options.runtimes_dir, base.interpreter.runtime)

    def _layout(self, base: Base, directory: Path, layers: Path | None) -> Layout:
        """Where a runtime's processes find its parts: at AWS's paths, or at the host's where there is no namespace."""
        if self._namespaces:
            return Layout(interpreter=base.lang.inside(base.interpreter))
        libraries = self._libraries(base)
        return Layout(
            interpreter=str(base.interpreter.executable), guest=base.family.guest, task=str(directory),
            layers=str(layers or OPT), libraries=str(libraries.directory) if libraries else None,
        )  # fmt: skip

    def _kind(self, version: Version, ready: Ready) -> tuple[Kind, dict[str, Any] | None]:
        """Of which kind a sandbox for `version` is, and what is executed ahead of time in it."""
        early = ahead(version, self._layout(ready.base, ready.directory, ready.layers), self._seccomp)
        memory = None if early is None else version.configuration.memory
        return Kind(zygote=ready.zygote, memory_mb=memory), early

    # --- zygotes ----------------------------------------------------------------------------------------------------

    async def _zygote(self, name: str, base: Base) -> ZygoteInfo:
        return await self._stock.zygote(name, lambda: self._zygote_spec(name, base))

    def _zygote_spec(self, name: str, base: Base) -> ZygoteSpec:
        libraries = self._libraries(base)
        mounts = base.lang.mounts(base.interpreter, libraries)
        files: dict[str, tuple[str, ...]] = {"/var/runtime": _FORKER_FILES}
        lang, scripts = "/var/lang", "/var/runtime"
        if base.forker is not base.interpreter:
            lang, scripts = "/run/forker", "/run/forker-files"
            mounts |= {lang: str(base.forker.prefix)}
            files = {"/var/runtime": (base.lang.guest,), scripts: _FORKER_FILES}
        variables = {"LD_LIBRARY_PATH": f"{lang}/lib:{LIBRARY_PATH}", "LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8",
                     "PATH": PATH, "TZ": ":UTC"}  # fmt: skip
        program = path_below(lang, base.forker)
        if not self._namespaces:
            shared = [str(libraries.directory)] if libraries and base.lang.forks else []
            variables["PYTHONPATH"] = os.pathsep.join([*_FORKER_FILES, *shared])
            program, scripts = str(base.forker.executable), _FORKER_FILES[0]
        return ZygoteSpec(
            name=name, command=(program, "-S", f"{scripts}/zygote.py"), variables=variables, mounts=mounts, files=files,
            links=base.lang.links(libraries), preload=name == base.warm,
        )  # fmt: skip

    def _zygote_lost(self, name: str) -> None:
        """What was prepared with a zygote that has ended is prepared again when it is needed."""
        for key in [key for key, ready in self._ready.items() if ready.zygote == name]:
            del self._ready[key]

    # --- environments -----------------------------------------------------------------------------------------------

    async def start(self, version: Version, *, provisioned: bool = False) -> Environment:
        try:
            ready = await self._get_ready(version)
        except (PackageError, SandboxError, StorageError, OSError) as error:
            raise CannotPlace(str(error)) from error
        clone = await self._snapshots.clone(version)
        if clone is not None:
            return await self._open(version, ready, clone, Role.CLONE)
        role = Role.PROVISIONED if provisioned else Role.ORDINARY
        return await self._open(version, ready, await self._take(version, ready), role)

    async def _take(self, version: Version, ready: Ready) -> Sandbox:
        try:
            return await self._stock.take(*self._kind(version, ready), version.configuration.ephemeral_storage)
        except SandboxError as error:
            raise CannotPlace(str(error)) from error

    async def _open_for_snapshot(self, version: Version) -> Environment:
        """An environment for the initialisation of a version that is being published. Raises CannotPlace."""
        try:
            ready = await self._get_ready(version)
        except (PackageError, SandboxError, StorageError, OSError) as error:
            raise CannotPlace(str(error)) from error
        role = Role.TEMPLATE if self._not_cloneable(ready) is None else Role.ORDINARY
        return await self._open(version, ready, await self._take(version, ready), role)

    def _not_cloneable(self, ready: Ready) -> str | None:
        """Why environments of a version cannot be cloned, whatever its code does; None if they can."""
        if not self._namespaces:
            return "this server runs functions as plain processes"
        if not ready.forked:
            return "its runtime has to be executed"
        return "it has extensions" if ready.extensions else None

    async def _open(self, version: Version, ready: Ready, sandbox: Sandbox, role: Role) -> Environment:
        try:
            environment = self._environment(version, sandbox, ready, role)
            await environment.open()
        except BaseException as error:
            self._sandboxes.destroy(sandbox)
            if isinstance(error, (OSError, ValueError)):
                raise CannotPlace(str(error)) from error
            raise
        self._environments.add(environment)
        self._spawn(self._accompany(environment))
        return environment

    def _environment(self, version: Version, sandbox: Sandbox, ready: Ready, role: Role) -> Environment:
        name = self._stream_name(version)
        key = version.key
        sink = self._logs.stream(key.account, key.region, version.configuration.logging.group, name)
        launch = self._launch(version, sandbox, ready, name, role)
        return Environment(version, sandbox, self._sandboxes, sink, name, launch, self._spawn)

    async def _accompany(self, environment: Environment) -> None:
        """What lasts as long as the environment: Ingle's API inside it, and its place in our books."""
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
            if close is not None:
                close()

    def _launch(self, version: Version, sandbox: Sandbox, ready: Ready, log_stream: str, role: Role) -> Launch:
        runtime = version.configuration.runtime
        layout = self._layout(ready.base, ready.directory, ready.layers)
        place = Place(
            runtime_api=sandbox.runtime_api_address,
            api=sandbox.api_address if self._options.serve_api else None,
            log_stream=log_stream,
            layout=layout,
            provisioned=role is Role.PROVISIONED,
        )
        programs = command(version, layout, ready.forked)
        if programs is not None and not self._namespaces:
            programs = [[layout.here(part) for part in program] for program in programs]
        extensions = ready.extensions

        def extend(first: bool) -> dict[str, Any]:
            return extension_settings(version, place, extensions, self._seccomp, mount=first)

        def start(first: bool) -> None:
            if role is Role.CLONE:
                resume = {"variables": variables(version, place)}
                self._sandboxes.run(sandbox, version.configuration.memory, resume)
                return
            # Where there are extensions, they are there before the runtime, and the mounts with them.
            message = settings(version, place, programs, self._seccomp, mount=first and not extensions)
            self._sandboxes.run(sandbox, version.configuration.memory, message)

        async def hold() -> None:
            message = settings(version, place, programs, self._template_seccomp, mount=True)
            message["template"] = {"seccomp": self._seccomp.hex()}
            await self._sandboxes.make_template(sandbox, version.configuration.memory, message)

        snap_start = starts_from_snapshot(version)
        long = snap_start or place.provisioned
        arn = runtime_version_arn(runtime, version.key.region)
        return Launch(
            start=start,
            runtime=RuntimeVersion(label=f"{ready.base.family.label(runtime)}.v1", arn=arn),
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

    def _stream_name(self, version: Version) -> str:
        """`YYYY/MM/DD/[version]` and 32 hexadecimal digits; a log group of its own puts the function's name before."""
        day = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y/%m/%d")
        default = version.configuration.logging.group == f"/aws/lambda/{version.key.name}"
        return f"{day}/{'' if default else version.key.name}[{version.version}]{uuid.uuid4().hex}"

    def census(self) -> dict[str, int]:
        """How many environments are in each state."""
        found = {state.value: 0 for state in State}
        for environment in self._environments:
            found[environment.state.value] += 1
        return found

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
        digest = version.configuration.package.digest
        for key in [key for key in self._ready if key[0] == digest]:
            del self._ready[key]
