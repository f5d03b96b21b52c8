"""This machine's worker: zygotes, a stock of prepared sandboxes, and the environments made from them.

Implements `worker.client.WorkerClient` in the server's process. A zygote is started when the first function of its
runtime is prepared, and sandboxes are kept ready per zygote, so that a cold start finds everything but the function.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import sys
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

import ingle
from ingle.artifacts import PackageError
from ingle.catalog import Prepared
from ingle.domain.clock import Clock
from ingle.domain.function import Configuration, Package, Version
from ingle.domain.runtimes import is_provided, is_python, runs_here, runtime_version_arn
from ingle.observability.log import Logger
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient, ZygoteInfo, ZygoteSpec
from ingle.sandbox.launch import Isolation
from ingle.sandbox.seccomp import compile_filter
from ingle.storage.errors import StorageError
from ingle.worker.client import CannotPlace
from ingle.worker.environment import Environment, Launch
from ingle.worker.interpreters import Interpreter
from ingle.worker.launch_plan import (
    LIBRARY_PATH,
    OPT,
    CannotStart,
    Flavour,
    Place,
    check_bootstrap,
    command,
    must_execute,
    runtime_label,
    settings,
)
from ingle.worker.layer_modules import layer_modules
from ingle.worker.output import EventSink, Output
from ingle.worker.sdk_use import may_use_sdk

log = Logger("worker")

DEFAULT_TMP_MB = 512
#: How long leaving waits for environments to be gone, in seconds.
_STOP_SECONDS = 5.0
#: How long a zygote may take to import what it preloads, in seconds.
_ZYGOTE_SECONDS = 60.0
_GUEST = tuple(str(Path(ingle.__file__).parent / name) for name in ("sandbox/inside", "runtimes/python"))


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
    """`sdk(runtime)`: the directory with boto3 for a runtime, or None. `stock`: sandboxes kept ready per zygote."""

    interpreters: tuple[Interpreter, ...]
    sdk: Callable[[str], Path | None]
    stock: int
    serve_api: bool


@dataclass(slots=True, eq=False)
class ZygoteStock:
    """A running zygote and the sandboxes that were forked from it ahead of their use."""

    info: ZygoteInfo
    ready: deque[Sandbox] = field(default_factory=deque)
    coming: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What `prepare` found out about a version."""

    zygote: str
    interpreter: str
    forked: bool
    directory: Path
    layers: Path | None
    impossible: CannotStart | None

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
        self._zygotes: dict[str, ZygoteStock] = {}
        self._starting: dict[str, asyncio.Task[ZygoteStock]] = {}
        self._ready: dict[ReadyKey, Ready] = {}
        self._environments: set[Environment] = set()
        self._tasks: set[asyncio.Future[object]] = set()
        self._namespaces = sandboxes.isolation is not Isolation.PROCESS
        self._seccomp = self._compile_seccomp()
        sandboxes.on_zygote_lost = self._zygote_lost

    @staticmethod
    def _compile_seccomp() -> bytes:
        try:
            return compile_filter()
        except KeyError:
            log.warning("no system-call filter for this machine", machine=platform.machine())
            return b""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks: list[asyncio.Future[Any]] = [*self._tasks, *self._starting.values()]
        for task in tasks:
            task.cancel()
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
            await self._get_ready(version)
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
        key = (configuration.package.digest, tree.digest if tree else "", must_execute(version), runtime)
        known = self._ready.get(key)
        if known is not None and known.usable:
            return known
        interpreter = self._interpreter(runtime)
        directory = await self._packages.extract(configuration.package)
        layers = await self._extract_layers(configuration)
        impossible = None
        name, forked = f"{interpreter.runtime}-{Flavour.BARE}", False
        if is_provided(runtime):
            try:
                check_bootstrap([directory, *([layers] if layers else [])], platform.machine())
            except CannotStart as error:
                impossible = error
        else:
            name, forked = await self._choose_zygote(version, interpreter, directory, layers)
        await self._zygote(name, interpreter)
        ready = Ready(
            zygote=name,
            interpreter=self._inside(interpreter),
            forked=forked,
            directory=directory,
            layers=layers,
            impossible=impossible,
        )
        self._ready[key] = ready
        return ready

    async def _extract_layers(self, configuration: Configuration) -> Path | None:
        """What is at `/opt`; None without layers."""
        tree = configuration.layer_tree
        if tree is None:
            return None
        parts = [layer.package for layer in configuration.layers]
        return await (self._packages.merge(parts, tree) if len(parts) > 1 else self._packages.extract(tree))

    def _interpreter(self, runtime: str) -> Interpreter:
        """The interpreter for `runtime`; for custom runtimes, any to fork their environments from."""
        if is_provided(runtime) and self._interpreters:
            own = f"python3.{sys.version_info[1]}"
            return self._interpreters.get(own) or next(iter(self._interpreters.values()))
        if runtime in self._interpreters:
            return self._interpreters[runtime]
        if is_python(runtime):
            name = runtime.replace("python", "Python ")
            raise CannotPlace(f"There is no {name} interpreter on this machine for the runtime {runtime}. Install one "
                              "(`ingle runtimes` lists what was found) and update the function.")  # fmt: skip
        if runs_here(runtime):
            raise CannotPlace("There is no Python interpreter on this machine to start environments from.")
        raise CannotPlace(f"Ingle does not run the runtime {runtime} yet.")

    async def _choose_zygote(
        self, version: Version, interpreter: Interpreter, directory: Path, layers: Path | None
    ) -> tuple[str, bool]:
        """(zygote, whether its forks serve the function themselves): no module of package or layers may be hidden."""
        modules = self._packages.top_level_modules(version.configuration.package)
        execute = must_execute(version)
        sources = [directory]
        if layers is not None:
            modules |= await asyncio.to_thread(layer_modules, layers, interpreter.runtime)
            sources.append(layers / "python")
            # Where layers are not at /opt, only a program that is executed finds their shared libraries.
            execute = execute or (not self._namespaces and (layers / "lib").is_dir())
        if not execute and self._options.sdk(interpreter.runtime) and await asyncio.to_thread(may_use_sdk, *sources):
            warm_name = f"{interpreter.runtime}-{Flavour.WARM}"
            warm = await self._zygote(warm_name, interpreter)
            if not modules & warm.info.modules:
                return warm_name, True
        bare_name = f"{interpreter.runtime}-{Flavour.BARE}"
        bare = await self._zygote(bare_name, interpreter)
        return bare_name, not execute and not modules & bare.info.modules

    def _inside(self, interpreter: Interpreter) -> str:
        """The interpreter's path as the sandbox sees it."""
        if not self._namespaces:
            return str(interpreter.executable)
        return f"/var/lang/bin/python{interpreter.runtime.removeprefix('python')}"

    # --- zygotes and their stock ------------------------------------------------------------------------------------

    async def _zygote(self, name: str, interpreter: Interpreter) -> ZygoteStock:
        stock = self._zygotes.get(name)
        if stock is not None:
            return stock
        task = self._starting.get(name)
        if task is None:
            task = self._starting[name] = asyncio.ensure_future(self._start_zygote(name, interpreter))
            task.add_done_callback(lambda _: self._starting.pop(name, None))
        return await asyncio.shield(task)

    async def _start_zygote(self, name: str, interpreter: Interpreter) -> ZygoteStock:
        sdk = self._options.sdk(interpreter.runtime)
        variables = {"LD_LIBRARY_PATH": LIBRARY_PATH, "LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8",
                     "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "TZ": ":UTC"}  # fmt: skip
        script = "/var/runtime/zygote.py"
        if not self._namespaces:
            variables["PYTHONPATH"] = os.pathsep.join([*_GUEST, *([str(sdk)] if sdk else [])])
            script = f"{_GUEST[0]}/zygote.py"
        spec = ZygoteSpec(
            name=name, command=(self._inside(interpreter), "-S", script), variables=variables,
            prefix=str(interpreter.prefix), guest=_GUEST, sdk=str(sdk) if sdk else None,
            preload=sdk is not None and name.endswith(Flavour.WARM),
        )  # fmt: skip
        try:
            async with asyncio.timeout(_ZYGOTE_SECONDS):
                info = await self._sandboxes.start_zygote(spec)
        except TimeoutError as error:
            raise SandboxError(f"{name} did not start within {_ZYGOTE_SECONDS:.0f} s") from error
        stock = self._zygotes[name] = ZygoteStock(info=info)
        log.info("zygote ready", zygote=name)
        self._refill(stock)
        return stock

    def _zygote_lost(self, name: str) -> None:
        """Environments that it forked live on; the next one that is needed starts it again."""
        log.error("a zygote ended", zygote=name)
        stock = self._zygotes.pop(name, None)
        for sandbox in list(stock.ready) if stock is not None else ():
            self._sandboxes.destroy(sandbox)
        for key in [key for key, ready in self._ready.items() if ready.zygote == name]:
            del self._ready[key]

    def _refill(self, stock: ZygoteStock) -> None:
        if self._zygotes.get(stock.info.name) is not stock:
            return  # that zygote has ended
        while len(stock.ready) + stock.coming < self._options.stock:
            stock.coming += 1
            self._spawn(self._add_to(stock))

    async def _add_to(self, stock: ZygoteStock) -> None:
        try:
            sandbox = await self._sandboxes.create(stock.info.name, DEFAULT_TMP_MB)
        except SandboxError as error:
            log.warning("a sandbox could not be prepared", zygote=stock.info.name, reason=str(error))
            return
        finally:
            stock.coming -= 1
        if sandbox.released:
            return
        sandbox.on_gone = lambda: self._drop(stock, sandbox)
        stock.ready.append(sandbox)

    @staticmethod
    def _drop(stock: ZygoteStock, sandbox: Sandbox) -> None:
        with contextlib.suppress(ValueError):
            stock.ready.remove(sandbox)

    async def _take(self, zygote: str, tmp_mb: int) -> Sandbox:
        stock = self._zygotes.get(zygote)
        if stock is None:
            raise CannotPlace("the zygote ended")
        try:
            while tmp_mb == DEFAULT_TMP_MB and stock.ready:
                sandbox = stock.ready.popleft()
                if not sandbox.released:
                    return sandbox
            return await self._sandboxes.create(zygote, tmp_mb)
        except SandboxError as error:
            raise CannotPlace(str(error)) from error
        finally:
            # After the cold start that is under way, not beside it.
            asyncio.get_running_loop().call_later(0.02, self._refill, stock)

    # --- environments -----------------------------------------------------------------------------------------------

    async def start(self, version: Version) -> Environment:
        try:
            ready = await self._get_ready(version)
        except (PackageError, SandboxError, StorageError, OSError) as error:
            raise CannotPlace(str(error)) from error
        sandbox = await self._take(ready.zygote, version.configuration.ephemeral_storage)
        try:
            environment = self._environment(version, sandbox, ready)
            await environment.open()
        except BaseException as error:
            self._sandboxes.destroy(sandbox)
            if isinstance(error, (OSError, ValueError)):
                raise CannotPlace(str(error)) from error
            raise
        self._environments.add(environment)
        self._spawn(self._accompany(environment))
        return environment

    def _environment(self, version: Version, sandbox: Sandbox, ready: Ready) -> Environment:
        name = self._stream_name(version)
        key = version.key
        sink = self._logs.stream(key.account, key.region, version.configuration.logging.group, name)
        output = Output(asyncio.get_running_loop(), sandbox.output, sandbox.events, sink)
        launch = self._launch(version, sandbox, ready, name)
        return Environment(version, sandbox, self._sandboxes, output, name, launch)

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

    def _launch(self, version: Version, sandbox: Sandbox, ready: Ready, log_stream: str) -> Launch:
        runtime = version.configuration.runtime
        place = Place(
            runtime_api=sandbox.runtime_api_address,
            api=sandbox.api_address if self._options.serve_api else None,
            log_stream=log_stream,
            **({} if self._namespaces else self._whereabouts(version, ready)),
        )
        programs = command(version, ready.interpreter, ready.forked)
        if programs is not None and not self._namespaces:
            programs = [[place.here(part) for part in program] for program in programs]

        def start(first: bool) -> None:
            message = settings(version, place, programs, self._seccomp, mount=first)
            self._sandboxes.run(sandbox, version.configuration.memory, message)

        arn = runtime_version_arn(runtime, version.key.region)
        label = f"Runtime Version: {runtime_label(runtime)}.v1\tRuntime Version ARN: {arn}"
        return Launch(start=start, runtime_version=label, impossible=ready.impossible)

    def _whereabouts(self, version: Version, ready: Ready) -> dict[str, str]:
        """What an environment finds elsewhere than usual when it has no file system of its own."""
        sdk = self._options.sdk(version.configuration.runtime)
        return {
            "directory": str(ready.directory),
            "layers": str(ready.layers or OPT),
            "runtime": _GUEST[1],
            "libraries": _GUEST[1] if sdk is None else str(sdk),
        }

    def _stream_name(self, version: Version) -> str:
        """`YYYY/MM/DD/[version]` and 32 hexadecimal digits; a log group of its own puts the function's name before."""
        day = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y/%m/%d")
        default = version.configuration.logging.group == f"/aws/lambda/{version.key.name}"
        return f"{day}/{'' if default else version.key.name}[{version.version}]{uuid.uuid4().hex}"

    def uses(self, package: Package) -> bool:
        """Whether an environment that is not gone yet runs from `package`."""
        configurations = {id(found): found for found in (item.version.configuration for item in self._environments)}
        return any(package in configuration.packages for configuration in configurations.values())

    def warm_up(self, versions: Iterable[Version]) -> None:
        """Start, in the background, what running `versions` needs; a failure shows again when one is invoked."""
        first = {version.configuration.runtime: version for version in versions}
        for version in first.values():
            self._spawn(self.prepare(version))

    def forget(self, version: Version) -> None:
        """Drop what was prepared for `version`; it is prepared again if it is used again."""
        digest = version.configuration.package.digest
        for key in [key for key in self._ready if key[0] == digest]:
            del self._ready[key]
