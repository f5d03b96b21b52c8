"""Templates and clones without a server: a supervisor, a zygote, and the Runtime API that a clone talks to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ingle
from ingle.sandbox.client import Sandbox, SupervisorClient, ZygoteSpec
from ingle.sandbox.launch import Isolation
from ingle.sandbox.seccomp import compile_filter
from kernel.sandboxed import PROBE, FunctionFailed, descendants

GUEST = tuple(str(Path(ingle.__file__).parent / name) for name in ("sandbox/inside", "runtimes/python"))
MEMORY_MB = 256


class Running:
    """A clone that was resumed: `call` invokes its handler once and returns what it returned."""

    def __init__(self, sandbox: Sandbox, output: bytearray) -> None:
        self.sandbox = sandbox
        self.output = output
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self._polls: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        sandbox.on_exit = lambda status, _: self.ended.set_result(status)
        sandbox.on_gone = self.gone.set

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, sock=self.sandbox.runtime_api)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await self._polls.put((reader, writer))

    async def call(self, event: Any) -> Any:
        reader, writer = await asyncio.wait_for(self._polls.get(), 20)
        payload = json.dumps(event).encode()
        head = f"Lambda-Runtime-Aws-Request-Id: {uuid.uuid4()}\r\nContent-Length: {len(payload)}\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n".encode() + payload)
        request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        size = next(line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = json.loads(await reader.readexactly(int(size.partition(b":")[2])))
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await self._polls.put((reader, writer))
        if b"/error" in request.partition(b"\r\n")[0]:
            raise FunctionFailed(answer)
        return answer

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

    async def start_zygote(self) -> None:
        version = f"3.{sys.version_info[1]}"
        variables = {"LD_LIBRARY_PATH": "/var/lang/lib"}
        command = (f"/var/lang/bin/python{version}", "-S", "/var/runtime/zygote.py")
        if self.client.isolation is Isolation.PROCESS:
            variables = {"PYTHONPATH": os.pathsep.join(GUEST)}
            command = (sys.executable, "-S", f"{GUEST[0]}/zygote.py")
        await self.client.start_zygote(ZygoteSpec(
            name="z", command=command, variables=variables, prefix=sys.base_prefix, guest=GUEST, sdk=None,
            preload=False,
        ))  # fmt: skip

    async def template(self, source: str = "") -> Sandbox:
        """A template that ran `source` and then the module of the probe. Raises NotCloneable, SandboxError."""
        package = uuid.uuid4().hex
        (self.directory / "packages" / package).mkdir()
        (self.directory / "packages" / package / "app.py").write_text(PROBE + source)
        sandbox = await self.client.create("z", 512)
        self.last = sandbox
        self.last_output = self._collect(sandbox)
        self._server = await asyncio.start_server(lambda *_: None, sock=sandbox.runtime_api)
        settings = {
            "mount": True, "package": package, "directory": "/var/task", "limits": {"RLIMIT_NOFILE": (1024, 1024)},
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

        for descriptor in (sandbox.output, sandbox.events):
            self._loop.add_reader(descriptor, read, descriptor)
        return collected

    def processes(self) -> list[int]:
        return descendants(self.pid)


@contextlib.asynccontextmanager
async def settled(*clones: Running) -> AsyncIterator[None]:
    yield
