"""Templates and clones without a server: a supervisor, a zygote, and the Runtime API that a clone talks to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingle.sandbox.client import Sandbox, SupervisorClient
from ingle.sandbox.launch import Isolation, cgroup_name
from ingle.sandbox.seccomp import compile_filter
from kernel.sandboxed import PROBE, FunctionFailed, descendants
from kernel.supervised import supervised

MEMORY_MB = 256


class Lost(Exception):
    """The runtime closed its connection instead of answering."""


class Running(asyncio.Protocol):
    """A clone that was resumed, and its Runtime API: `call` invokes its handler and returns what that returned."""

    def __init__(self, sandbox: Sandbox, output: bytearray) -> None:
        self.sandbox = sandbox
        self.output = output
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self._requests: asyncio.Queue[tuple[bytes, bytes] | None] = asyncio.Queue()
        self._transport: Any = None
        self._buffer = b""
        sandbox.on_exit = lambda status, _: self.ended.set_result(status)
        sandbox.on_gone = self._gone

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: self, sock=self.sandbox.runtime_api)

    def _gone(self) -> None:
        self._server.close()
        self.gone.set()

    def close(self) -> None:
        if not self.gone.is_set():
            self._server.close()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._requests.put_nowait(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            size = int(lengths[0].partition(b":")[2]) if lengths else 0
            if len(rest) < size:
                return
            self._requests.put_nowait((head, rest[:size]))
            self._buffer = rest[size:]

    async def _next(self) -> tuple[bytes, bytes]:
        request = await asyncio.wait_for(self._requests.get(), 20)
        if request is None:
            raise Lost
        return request

    async def call(self, event: Any) -> Any:
        """Raises FunctionFailed, and Lost if the runtime ended."""
        await self._next()  # the poll
        payload = json.dumps(event).encode()
        head = f"Lambda-Runtime-Aws-Request-Id: {uuid.uuid4()}\r\nContent-Length: {len(payload)}\r\n"
        self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n".encode() + payload)
        request, answer = await self._next()
        self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        if b"/error" in request.partition(b"\r\n")[0]:
            raise FunctionFailed(json.loads(answer))
        return json.loads(answer)

    async def probe(self, code: str, **values: Any) -> Any:
        return await self.call({"code": code, **values})


class Cloning:
    """A supervisor with one zygote; functions are packages below its directory."""

    def __init__(self, client: SupervisorClient, pid: int, directory: Path) -> None:
        self.client = client
        self.pid = pid
        self.directory = directory
        self.privileged = client.isolation is Isolation.ROOT
        self._loop = asyncio.get_running_loop()
        self._running: list[Running] = []
        self._servers: list[tuple[Sandbox, asyncio.Server]] = []
        self._readers: set[int] = set()

    def close(self) -> None:
        for running in self._running:
            running.close()
        for sandbox, server in self._servers:
            if not sandbox.released:
                server.close()
        for descriptor in self._readers:
            self._loop.remove_reader(descriptor)

    async def template(self, source: str = "") -> Sandbox:
        """A template that ran `source` and then the module of the probe. Raises NotCloneable, SandboxError."""
        package = uuid.uuid4().hex
        (self.directory / "packages" / package).mkdir()
        (self.directory / "packages" / package / "app.py").write_text(PROBE + source)
        sandbox = await self.client.create("z", 512)
        self.last = sandbox
        self.last_output = self._collect(sandbox)
        server = await self._loop.create_server(asyncio.Protocol, sock=sandbox.runtime_api)
        self._servers.append((sandbox, server))
        sandbox.on_gone = server.close
        settings = {
            "package": package, "layers": None, "directory": "/var/task",
            "limits": {"RLIMIT_NOFILE": (1024, 1024)},
            "seccomp": compile_filter(cloning=True).hex(), "template": {"seccomp": compile_filter().hex()},
            "command": None, "log_fd": True, "variables": self.variables(sandbox, WHO="template"),
        }  # fmt: skip
        await asyncio.wait_for(self.client.make_template(sandbox, MEMORY_MB, settings), 30)
        return sandbox

    def variables(self, sandbox: Sandbox, **more: str) -> dict[str, str]:
        return {
            "_HANDLER": "app.handler", "AWS_LAMBDA_RUNTIME_API": sandbox.runtime_api_address, "TZ": ":UTC",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", **more,
        }  # fmt: skip

    async def clone(self, template: Sandbox, **variables: str) -> Running:
        """A clone that was resumed."""
        return await self.resume(await self.client.clone(template, 512, MEMORY_MB), **variables)

    async def resume(self, sandbox: Sandbox, **variables: str) -> Running:
        running = Running(sandbox, self._collect(sandbox))
        await running.open()
        self._running.append(running)
        self.client.run(sandbox, MEMORY_MB, {"variables": self.variables(sandbox, **variables)})
        return running

    def _collect(self, sandbox: Sandbox) -> bytearray:
        """What the sandbox writes to its output and its log channel."""
        collected = bytearray()

        def read(descriptor: int) -> None:
            with contextlib.suppress(BlockingIOError):
                if data := os.read(descriptor, 65536):
                    collected.extend(data)
                else:
                    self._loop.remove_reader(descriptor)
                    self._readers.discard(descriptor)

        for descriptor in (sandbox.output, sandbox.events):
            self._loop.add_reader(descriptor, read, descriptor)
            self._readers.add(descriptor)
        return collected

    # --- what is there, seen from outside ---------------------------------------------------------------------------

    def processes(self) -> list[int]:
        return descendants(self.pid)

    def members(self, sandbox: Sandbox) -> list[int]:
        """Ids of the sandbox's processes, its init first."""
        group = f"/{cgroup_name(self.directory)}/{sandbox.name}\n"
        return [pid for pid in self.processes() if group in _groups_of(pid)]

    def groups(self) -> list[Path]:
        return [path for path in Path("/sys/fs/cgroup").glob(f"*/{cgroup_name(self.directory)}/*") if path.is_dir()]

    def images(self) -> list[Path]:
        return list(self.directory.glob("run/images/[ce][0-9]*"))

    @property
    def held(self) -> int:
        """Descriptors that the supervisor has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


async def settle(condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


async def _as_ordinary_user() -> None:
    """Clone once, and print what the clone sees."""
    async with supervised(Isolation.USER) as place:
        cloning = Cloning(*place)
        template = await cloning.template("made = os.urandom(8).hex(); open('/tmp/file', 'w').close()\n")
        clones = [await cloning.clone(template, WHO=str(number)) for number in range(2)]
        code = """
status = dict(line.split(":\\t") for line in read("/proc/self/status").splitlines())
result = [made, os.environ["WHO"], os.path.exists("/tmp/file"), status["CapEff"].strip("0"), status["Seccomp"],
          call("unshare", 0x78020000), [p for p in os.listdir("/proc") if p.isdigit()] == ["1", str(os.getpid())],
          [name for _, name in socket.if_nameindex()]]
"""
        print(json.dumps([await clone.probe(code) for clone in clones]))
        cloning.close()


if __name__ == "__main__":
    asyncio.run(_as_ordinary_user())


def _groups_of(pid: int) -> str:
    """Nothing of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
