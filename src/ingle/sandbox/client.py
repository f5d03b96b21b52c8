"""The server's side of the supervisor: zygotes and sandboxes as awaitable values.

One instance per server, used from the event loop only. Everything the kernel grants is held by the supervisor; what
arrives here are open files: listening sockets, output pipes and a few control files of one environment's group.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ingle.sandbox.handle import Sandbox as Sandbox
from ingle.sandbox.inside import linux
from ingle.sandbox.launch import Isolation, SupervisorProcess


class SandboxError(Exception):
    """A zygote or a sandbox could not be made, or what was asked of one was not done; the text says why."""


class NotCloneable(SandboxError):
    """A template cannot be copied; the text says why, in words for the function's author."""


class SupervisorGone(SandboxError):
    """The supervisor ended: no sandbox of this server exists any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygoteSpec:
    """What to start: `command` is a path inside the root, the other paths are the host's, see `sandbox.root`."""

    name: str
    command: tuple[str, ...]
    variables: dict[str, str]
    mounts: dict[str, str]
    files: dict[str, tuple[str, ...]]
    links: dict[str, str]
    preload: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygoteInfo:
    name: str
    pid: int
    #: Top-level modules that an import inside finds loaded already.
    modules: frozenset[str]


#: Longest message to the supervisor, in bytes; it passes settings on through sockets with the kernel's default buffers.
MAX_MESSAGE = 128 * 1024


class SupervisorClient:
    """`async with SupervisorClient(process) as sandboxes`. Leaving closes the channel, which ends the supervisor.

    `on_lost()` is called once when the supervisor ended by itself, `on_zygote_lost(name)` when a zygote that was ready
    did. Every awaited call then raises SupervisorGone.
    """

    def __init__(self, process: SupervisorProcess, on_lost: Callable[[], None]) -> None:
        self.isolation = process.isolation
        #: What the supervisor enforces: names of cgroup controllers, and whether /tmp has images.
        self.controllers: frozenset[str] = frozenset()
        self.images = False
        self._process = process
        self._channel = process.channel
        self._on_lost = on_lost
        self._started: asyncio.Future[None]
        self._zygotes: dict[str, asyncio.Future[ZygoteInfo]] = {}
        self._creating: dict[str, asyncio.Future[Sandbox]] = {}
        self._restarting: dict[str, asyncio.Future[None]] = {}
        self._mounting: dict[str, asyncio.Future[None]] = {}
        self._templates: dict[str, asyncio.Future[None]] = {}
        self._extending: dict[str, asyncio.Future[tuple[int, dict[str, str]]]] = {}
        self._dialling: dict[str, deque[asyncio.Future[list[socket.socket]]]] = {}
        self._sandboxes: dict[str, Sandbox] = {}
        self._unsent: deque[bytes] = deque()
        self._numbers = itertools.count(1)
        self._gone_for_good = False
        self.on_zygote_lost: Callable[[str], None] = lambda name: None
        #: Given a socket to the process that makes networks when that was started again.
        self.on_networks: Callable[[socket.socket], None] = lambda channel: channel.close()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.create_future()
        self._channel.setblocking(False)
        self._loop.add_reader(self._channel.fileno(), self._receive)
        await self._started
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop.remove_reader(self._channel.fileno())
        self._loop.remove_writer(self._channel.fileno())
        self._channel.close()
        for sandbox in list(self._sandboxes.values()):
            sandbox.release()
        self._sandboxes.clear()
        with contextlib.suppress(ChildProcessError):
            await asyncio.to_thread(os.waitpid, self._process.pid, 0)

    # --- requests ---------------------------------------------------------------------------------------------------

    async def start_zygote(self, spec: ZygoteSpec) -> ZygoteInfo:
        """Start a zygote and return once it can fork. Raises SandboxError."""
        self._require_supervisor()
        ready: asyncio.Future[ZygoteInfo] = self._loop.create_future()
        self._zygotes[spec.name] = ready
        self._send({
            "zygote": spec.name, "command": spec.command, "variables": spec.variables, "preload": spec.preload,
            "root": {"mounts": spec.mounts, "files": spec.files, "links": spec.links},
        })  # fmt: skip
        return await ready

    async def create(
        self, zygote: str, tmp_mb: int, ahead: dict[str, Any] | None = None, network: str | None = None
    ) -> Sandbox:
        """A sandbox forked from `zygote`, with a /tmp of `tmp_mb` MiB, attached to `network`. Raises SandboxError.

        `ahead`: what to execute before `run` says what the sandbox is for, with `command`, `variables`, `limits` and
        `seccomp` as in the settings of `run`, whose `ahead` then says whether it can be used.
        """
        name = f"e{next(self._numbers)}"
        request = {"create": name, "zygote": zygote, "tmp_mb": tmp_mb, "ahead": ahead, "network": network}
        return await self._make(request, "create")

    def attach(self, sandbox: Sandbox, network: str) -> None:
        """Give a sandbox that has none a link to `network`, before anything runs in it; if that fails, it ends.

        Raises SandboxError.
        """
        self._require_sandbox(sandbox)
        self._send({"attach": sandbox.name, "network": network})

    async def mount(self, sandbox: Sandbox, shares: Sequence[tuple[str, str]]) -> None:
        """Mount shares (name, place below /mnt) in a sandbox that was not run yet. Raises SandboxError.

        May take as long as their file system takes to answer.
        """
        self._require_sandbox(sandbox)
        mounted = self._mounting[sandbox.name] = self._loop.create_future()
        self._send({"mount": sandbox.name, "shares": list(shares)})
        await mounted

    async def _make(self, request: dict[str, Any], verb: str) -> Sandbox:
        self._require_supervisor()
        name = request[verb]
        made = self._creating[name] = self._loop.create_future()
        self._send(request)
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            made.add_done_callback(lambda done: self._abandon(name, done))
            if verb == "clone":
                # A template is the function's: it may never do what it is asked.
                self._send({"destroy": name})
            raise

    async def make_template(self, sandbox: Sandbox, memory_mb: int, settings: dict[str, Any]) -> None:
        """Let the parked process become the runtime, and return once it is initialised and can be cloned.

        `settings["template"]` holds the system-call filter of clones as {"seccomp": hex}. Raises NotCloneable with the
        reason if it cannot be copied, and SandboxError if it ends before that.
        """
        self._require_supervisor()
        if self.isolation is Isolation.PROCESS:
            raise NotCloneable("plain processes without namespaces cannot be cloned")
        ready = self._templates[sandbox.name] = self._loop.create_future()
        self.run(sandbox, memory_mb, settings)
        try:
            await ready
        finally:
            self._templates.pop(sandbox.name, None)

    async def clone(self, template: Sandbox, tmp_mb: int, memory_mb: int, network: str | None = None) -> Sandbox:
        """A clone of a template that is ready, in a sandbox of its own, attached to `network`. Raises SandboxError.

        Its runtime waits for one `run`, of whose settings it takes the "variables", and goes on where the template
        waits. It outlives the template, and `restart` refuses it.
        """
        name = f"c{next(self._numbers)}"
        request = {"clone": name, "template": template.name, "tmp_mb": tmp_mb, "memory_mb": memory_mb,
                   "network": network}  # fmt: skip
        sandbox = await self._make(request, "clone")
        sandbox.is_clone = True
        return sandbox

    def run(self, sandbox: Sandbox, memory_mb: int, settings: dict[str, Any]) -> None:
        """Let the parked process become the runtime. Raises SandboxError if the settings are too long."""
        self._send({"run": sandbox.name, "memory_mb": memory_mb, "settings": settings})

    async def restart(self, sandbox: Sandbox, generation: int) -> None:
        """Kill every process of the sandbox and park a new one; `run` it again afterwards. Raises SandboxError."""
        self._require_sandbox(sandbox)
        if sandbox.is_clone:
            raise SandboxError("a clone cannot be started again")
        parked = self._restarting[sandbox.name] = self._loop.create_future()
        self._send({"restart": sandbox.name, "generation": generation})
        await parked

    async def extend(self, sandbox: Sandbox, memory_mb: int, settings: dict[str, Any]) -> tuple[int, dict[str, str]]:
        """Start extensions: (the end of the pipe that they write to, errors of those that did not start).

        The descriptor is the caller's. Raises SandboxError.
        """
        self._require_sandbox(sandbox)
        if sandbox.is_clone:
            raise SandboxError("a clone has no processes but its runtime's")
        extended: asyncio.Future[tuple[int, dict[str, str]]] = self._loop.create_future()
        self._extending[sandbox.name] = extended
        self._send({"extend": sandbox.name, "memory_mb": memory_mb, "settings": settings})
        return await extended

    async def make_socket(
        self, sandbox: Sandbox, kind: str = "tcp", address: tuple[str, int] | None = None
    ) -> socket.socket:
        """A socket of the sandbox's own network, "tcp" or "udp", bound if `address` is given; the caller's to close.

        Raises SandboxError.
        """
        self._require_sandbox(sandbox)
        made: asyncio.Future[list[socket.socket]] = self._loop.create_future()
        self._dialling.setdefault(sandbox.name, deque()).append(made)
        self._send({"sockets": sandbox.name, "wanted": [[kind, address]]})
        (found,) = await made
        return found

    def signal(self, sandbox: Sandbox, name: str, *, runtime_only: bool = False) -> None:
        """Send the signal `name` ("SIGTERM") to every process of the sandbox, or to its runtime's process group."""
        self._send({"signal": sandbox.name, "name": name, "runtime_only": runtime_only})

    def destroy(self, sandbox: Sandbox) -> None:
        """Kill the sandbox; `on_gone` follows. Harmless if it is gone."""
        self._send({"destroy": sandbox.name})

    def _require_supervisor(self) -> None:
        if self._gone_for_good:
            raise SupervisorGone("the sandbox supervisor ended")

    def _require_sandbox(self, sandbox: Sandbox) -> None:
        self._require_supervisor()
        if sandbox.name not in self._sandboxes:
            raise SandboxError("the sandbox ended")

    def _abandon(self, name: str, made: asyncio.Future[Sandbox]) -> None:
        if not made.cancelled() and made.exception() is None:
            self._send({"destroy": name})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        if len(data) > MAX_MESSAGE:
            raise SandboxError(f"{len(data)} bytes are too many for one message to the supervisor")
        if self._unsent:
            self._unsent.append(data)
            return
        try:
            self._channel.send(data)
        except BlockingIOError:
            self._unsent.append(data)
            self._loop.add_writer(self._channel.fileno(), self._send_rest)
        except OSError:
            return  # the reader learns of the supervisor's end and tells everyone

    def _send_rest(self) -> None:
        while self._unsent:
            try:
                self._channel.send(self._unsent[0])
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()
                break
            self._unsent.popleft()
        self._loop.remove_writer(self._channel.fileno())

    # --- answers ----------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        while True:
            try:
                data, descriptors = linux.receive_message(self._channel)
            except BlockingIOError:
                return
            except OSError:
                data, descriptors = b"", []
            if not data:
                self._lost()
                return
            self._hear(json.loads(data), descriptors)

    def _lost(self) -> None:
        self._loop.remove_reader(self._channel.fileno())
        self._gone_for_good = True
        error = SupervisorGone("the sandbox supervisor ended")
        starting: list[asyncio.Future[Any]] = [self._started, *self._zygotes.values()]
        for future in starting:
            if not future.done():
                future.set_exception(error)
        # Everything the supervisor started ends with it, unless it is frozen.
        for sandbox in self._sandboxes.values():
            sandbox.thaw()
        for name in [*self._creating, *self._sandboxes]:
            self._gone(name, error)
        self._on_lost()

    def _hear(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if "prepared" in message:
            self._prepared(message, descriptors)
        elif "exited" in message:
            self._exited(message)
        elif "gone" in message:
            self._gone(message["gone"], SandboxError("the sandbox ended"))
        elif "failed" in message and "zygote" not in message:
            self._gone(message["failed"], SandboxError(message["reason"]))
        elif "mounted" in message:
            self._done(self._mounting.pop(message["mounted"], None), message["error"])
        elif "extended" in message:
            self._extended(message, descriptors)
        elif "sockets" in message:
            self._sockets(message, descriptors)
        elif "parked" in message:
            self._parked(message["parked"], descriptors)
        elif "zygote" in message:
            self._zygote(message)
        elif "template" in message:
            self._template(message)
        elif "networks" in message:
            self.on_networks(socket.socket(fileno=descriptors[0]))
        elif "started" in message:
            self.controllers = frozenset(message["controllers"])
            self.images = message["images"]
            self._started.set_result(None)

    def _parked(self, name: str, descriptors: list[int]) -> None:
        sandbox = self._sandboxes.get(name)
        for descriptor in descriptors:
            if sandbox is None:
                os.close(descriptor)
            else:
                sandbox.measure(descriptor)
        if (parked := self._restarting.pop(name, None)) is not None and not parked.done():
            parked.set_result(None)

    @staticmethod
    def _done(asked: asyncio.Future[None] | None, error: str | None) -> None:
        if asked is not None and not asked.done():
            if error is None:
                asked.set_result(None)
            else:
                asked.set_exception(SandboxError(error))

    def _exited(self, message: dict[str, Any]) -> None:
        sandbox = self._sandboxes.get(message["exited"])
        if sandbox is None:
            return
        if message.get("extension") is None:
            sandbox.on_exit(message["status"], message["generation"])
        else:
            sandbox.on_extension_exit(message["extension"], message["status"], message["generation"])

    def _extended(self, message: dict[str, Any], descriptors: list[int]) -> None:
        waiting = self._extending.pop(message["extended"], None)
        if waiting is not None and not waiting.done() and len(descriptors) == 1:
            waiting.set_result((descriptors[0], message["errors"]))
            return
        for descriptor in descriptors:
            os.close(descriptor)
        if waiting is not None and not waiting.done():
            waiting.set_exception(SandboxError("this process has too many open files"))

    def _sockets(self, message: dict[str, Any], descriptors: list[int]) -> None:
        made = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        waiting = self._dialling[message["sockets"]].popleft() if self._dialling.get(message["sockets"]) else None
        if waiting is not None and not waiting.done() and made:
            waiting.set_result(made)
            return
        for sock in made:
            sock.close()
        if waiting is not None and not waiting.done():
            waiting.set_exception(SandboxError(message["error"] or "this process has too many open files"))

    def _zygote(self, message: dict[str, Any]) -> None:
        future = self._zygotes[message["zygote"]]
        if "failed" in message:
            if future.done():
                self.on_zygote_lost(message["zygote"])
            else:
                future.set_exception(SandboxError(message["failed"]))
        elif not future.done():
            ready = message["ready"]
            modules = frozenset(ready["modules"])
            future.set_result(ZygoteInfo(name=message["zygote"], pid=ready["pid"], modules=modules))

    def _template(self, message: dict[str, Any]) -> None:
        ready = self._templates.get(message["template"])
        if ready is None or ready.done():
            return  # a template ended that was ready: its next clone fails
        if "refused" in message:
            ready.set_exception(NotCloneable(message["refused"]))
        elif "ended" in message:
            ready.set_exception(SandboxError("the process ended"))
        else:
            ready.set_result(None)

    def _prepared(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if len(descriptors) != len(message["descriptors"]):
            # The kernel drops descriptors when this process has no room for more.
            for descriptor in descriptors:
                os.close(descriptor)
            self._send({"destroy": message["prepared"]})
            made = self._creating.pop(message["prepared"], None)
            if made is not None and not made.done():
                made.set_exception(SandboxError("this process has too many open files"))
            return
        files = dict(zip(message["descriptors"], descriptors, strict=True))
        words = message.get("freeze_words", ["1", "0"])
        sandbox = Sandbox(
            message["prepared"],
            socket.socket(fileno=files.pop("runtime_api")),
            socket.socket(fileno=files.pop("api")),
            files.pop("output"),
            files.pop("events"),
            message["runtime_api"],
            message["api"],
            _files=files,
            _freeze_words=(words[0].encode(), words[1].encode()),
            _quota_suffix=message.get("quota_suffix", ""),
        )
        for descriptor in (sandbox.output, sandbox.events):
            os.set_blocking(descriptor, False)
        self._sandboxes[sandbox.name] = sandbox
        made = self._creating.pop(sandbox.name, None)
        if made is None or made.cancelled():
            self.destroy(sandbox)
        else:
            made.set_result(sandbox)

    def _gone(self, name: str, error: SandboxError) -> None:
        waiting: list[asyncio.Future[Any] | None] = [
            self._creating.pop(name, None), self._restarting.pop(name, None), self._extending.pop(name, None),
            self._templates.pop(name, None), self._mounting.pop(name, None),
            *self._dialling.pop(name, ()),
        ]  # fmt: skip
        for future in waiting:
            if future is not None and not future.done():
                future.set_exception(error)
        sandbox = self._sandboxes.pop(name, None)
        if sandbox is not None:
            try:
                sandbox.on_gone()
            finally:
                sandbox.release()
