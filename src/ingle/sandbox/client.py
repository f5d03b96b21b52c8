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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingle.sandbox.inside import linux
from ingle.sandbox.launch import SupervisorProcess


class SandboxError(Exception):
    """A zygote or a sandbox could not be made; the text says why."""


class SupervisorGone(SandboxError):
    """The supervisor ended: no sandbox of this server exists any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygoteSpec:
    """What to start: `command` is a path inside the root, `prefix` and `sdk` are the host's, see `sandbox.root`."""

    name: str
    command: tuple[str, ...]
    variables: dict[str, str]
    prefix: str
    guest: tuple[str, ...]
    sdk: str | None
    preload: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygoteInfo:
    name: str
    pid: int
    #: Top-level modules that an import inside finds loaded already.
    modules: frozenset[str]


@dataclass(slots=True, eq=False)
class Sandbox:
    """One prepared environment: a parked process behind its walls. `release` closes what this process holds of it.

    `on_exit(status, generation)` is called with the wait status when the runtime process ends; `on_gone()` when the
    whole sandbox has.
    """

    name: str
    runtime_api: socket.socket
    api: socket.socket
    output: int
    events: int
    runtime_api_address: str
    api_address: str
    on_exit: Callable[[int, int], None] = lambda status, generation: None
    on_gone: Callable[[], None] = lambda: None
    _files: dict[str, int] = field(default_factory=dict)
    _freeze_words: tuple[bytes, bytes] = (b"1", b"0")
    _quota_suffix: str = ""
    _oom_kills: int = 0

    @property
    def can_freeze(self) -> bool:
        """Whether a cgroup freezes; otherwise the caller sends SIGSTOP through the supervisor."""
        return "freeze" in self._files

    def freeze(self) -> bool:
        """Stop every process of the sandbox at once; False where no cgroup can."""
        return self._write("freeze", self._freeze_words[0])

    def thaw(self) -> None:
        self._write("freeze", self._freeze_words[1])

    def set_cpu_quota(self, microseconds: int) -> None:
        """CPU time per period of 20 ms, over all processors."""
        self._write("quota", f"{microseconds}{self._quota_suffix}".encode())

    def memory_peak(self) -> int | None:
        """The most memory that was charged to the sandbox so far, in bytes; None where nothing counts it."""
        descriptor = self._files.get("peak")
        return None if descriptor is None else int(os.pread(descriptor, 32, 0))

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process for memory since the last call."""
        descriptor = self._files.get("oom")
        if descriptor is None:
            return False
        counts = dict(line.split()[:2] for line in os.pread(descriptor, 512, 0).decode().splitlines())
        before, self._oom_kills = self._oom_kills, int(counts.get("oom_kill", 0))
        return self._oom_kills > before

    def _write(self, purpose: str, text: bytes) -> bool:
        descriptor = self._files.get(purpose)
        if descriptor is None:
            return False
        try:
            os.pwrite(descriptor, text, 0)
        except OSError:
            return False  # the group is being removed
        return True

    def release(self) -> None:
        for descriptor in [*self._files.values(), self.output, self.events]:
            os.close(descriptor)
        self._files.clear()
        self.runtime_api.close()
        self.api.close()


class SupervisorClient:
    """`async with SupervisorClient(process) as sandboxes`. Leaving closes the channel, which ends the supervisor."""

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
        self._sandboxes: dict[str, Sandbox] = {}
        self._unsent: deque[bytes] = deque()
        self._numbers = itertools.count(1)
        self._idle: asyncio.Event = asyncio.Event()

    async def __aenter__(self) -> SupervisorClient:
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
        ready = self._zygotes[spec.name] = self._loop.create_future()
        self._send({
            "zygote": spec.name, "command": spec.command, "variables": spec.variables, "preload": spec.preload,
            "root": {"prefix": spec.prefix, "guest": spec.guest, "sdk": spec.sdk},
        })  # fmt: skip
        return await ready

    async def create(self, zygote: str, tmp_mb: int) -> Sandbox:
        """A sandbox forked from `zygote`, with a /tmp of `tmp_mb` MiB. Raises SandboxError."""
        name = f"e{next(self._numbers)}"
        made = self._creating[name] = self._loop.create_future()
        self._send({"create": name, "zygote": zygote, "tmp_mb": tmp_mb})
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            made.add_done_callback(lambda done: self._abandon(name, done))
            raise

    def run(self, sandbox: Sandbox, memory_mb: int, settings: dict[str, Any]) -> None:
        """Let the parked process become the runtime."""
        self._send({"run": sandbox.name, "memory_mb": memory_mb, "settings": settings})

    async def restart(self, sandbox: Sandbox, generation: int) -> None:
        """Kill every process of the sandbox and park a new one; `run` it again afterwards. Raises SandboxError."""
        parked = self._restarting[sandbox.name] = self._loop.create_future()
        self._send({"restart": sandbox.name, "generation": generation})
        await parked

    def signal(self, sandbox: Sandbox, name: str) -> None:
        """Send the signal `name` ("SIGTERM") to every process of the sandbox."""
        self._send({"signal": sandbox.name, "name": name})

    def destroy(self, sandbox: Sandbox) -> None:
        """Kill the sandbox; `on_gone` follows. Harmless if it is gone."""
        self._send({"destroy": sandbox.name})

    def _abandon(self, name: str, made: asyncio.Future[Sandbox]) -> None:
        if not made.cancelled() and made.exception() is None:
            self._send({"destroy": name})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
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
        error = SupervisorGone("the sandbox supervisor ended")
        waiting = [self._started, *self._zygotes.values(), *self._creating.values(), *self._restarting.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
        self._on_lost()

    def _hear(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if "prepared" in message:
            self._prepared(message, descriptors)
        elif "exited" in message:
            if (sandbox := self._sandboxes.get(message["exited"])) is not None:
                sandbox.on_exit(message["status"], message["generation"])
        elif "gone" in message:
            self._gone(message["gone"], SandboxError("the sandbox ended"))
        elif "failed" in message and "zygote" not in message:
            self._gone(message["failed"], SandboxError(message["reason"]))
        elif "parked" in message:
            if (parked := self._restarting.pop(message["parked"], None)) is not None and not parked.done():
                parked.set_result(None)
        elif "zygote" in message:
            self._zygote(message)
        elif "started" in message:
            self.controllers = frozenset(message["controllers"])
            self.images = message["images"]
            self._started.set_result(None)

    def _zygote(self, message: dict[str, Any]) -> None:
        future = self._zygotes[message["zygote"]]
        if "failed" in message:
            if not future.done():
                future.set_exception(SandboxError(message["failed"]))
        elif not future.done():
            ready = message["ready"]
            modules = frozenset(ready["modules"])
            future.set_result(ZygoteInfo(name=message["zygote"], pid=ready["pid"], modules=modules))

    def _prepared(self, message: dict[str, Any], descriptors: list[int]) -> None:
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
        made = self._creating.pop(sandbox.name)
        if not made.done():
            made.set_result(sandbox)

    def _gone(self, name: str, error: SandboxError) -> None:
        for futures in (self._creating, self._restarting):
            future = futures.pop(name, None)
            if future is not None and not future.done():
                future.set_exception(error)
        sandbox = self._sandboxes.pop(name, None)
        if sandbox is not None:
            sandbox.on_gone()
            sandbox.release()
