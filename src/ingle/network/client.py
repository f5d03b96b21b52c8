"""The server's side of the agent: plans to send, and what became of them.

One instance per server, used from the event loop only.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Self

from ingle.network import frames
from ingle.network.addresses import OUTWARD as OUTWARD
from ingle.network.addresses import RESOLVER as RESOLVER_ADDRESS
from ingle.network.plan import Interface, to_json

RESOLVER = str(RESOLVER_ADDRESS)


_STARTING = "the process that makes networks is being started again"


class NetworkError(Exception):
    """Something of the network could not be made; the text says why."""


def command() -> tuple[str, ...]:
    """The program that the supervisor starts."""
    return (sys.executable, "-S", "-P", "-m", "ingle.network.agent")


def settings(identity: str, *, outward: bool) -> str:
    """What it is told. `identity`: eight hexadecimal digits, the same at every start on the same data directory."""
    return json.dumps({"identity": identity, "outward": outward})


class NetworkClient:
    """`async with NetworkClient(channel) as network`. `channel` None: there are no networks here.

    `problem`: why environments have no way out of the machine, None if they have one or shall have none.
    `on_lost()` is called when the agent ended, and with it every network; `on_ready()` when there is another one, to
    which `reconnect` has led.
    """

    def __init__(self, channel: socket.socket | None) -> None:
        self._channel = channel
        self.available = channel is not None
        """Whether there can be interfaces."""
        self.on_lost: Callable[[], None] = lambda: None
        self.on_ready: Callable[[], None] = lambda: None
        self.problem: str | None = None
        self._ready: asyncio.Future[None]
        self._applying: dict[str, list[asyncio.Future[None]]] = {}
        self._asking: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        #: Called with an interface and a hardware address when somebody else uses the interface's address.
        self.on_conflict: Callable[[str, str], None] = lambda interface, hardware: None
        self._unsent: deque[bytes] = deque()
        self._joiner = frames.Joiner()

    async def __aenter__(self) -> Self:
        if self._channel is not None:
            self._ready = asyncio.get_running_loop().create_future()
            self.reconnect(self._channel)
            await self._ready
        return self

    def reconnect(self, channel: socket.socket) -> None:
        """From now on this is the way to the agent, which has to be told all plans."""
        if self._channel is not None and self._channel is not channel:
            self._lose()  # there is another one before the end of this was heard
        self._channel, self._joiner = channel, frames.Joiner()
        self._unsent.clear()
        channel.setblocking(False)
        asyncio.get_running_loop().add_reader(channel.fileno(), self._receive)

    async def __aexit__(self, *_: object) -> None:
        if self._channel is not None:
            self._stop()

    def _stop(self) -> None:
        if self._channel is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._channel.fileno())
            loop.remove_writer(self._channel.fileno())
            self._channel.close()
            self._channel = None
        waiting: list[asyncio.Future[Any]] = [*self._asking.values()]
        for futures in self._applying.values():
            waiting += futures
        self._asking, self._applying = {}, {}
        for future in waiting:
            if not future.done():
                future.set_exception(NetworkError("the process that makes networks ended"))

    def _lose(self) -> None:
        self._stop()
        self.on_lost()

    # --- requests ---------------------------------------------------------------------------------------------------

    async def apply(self, plan: Interface) -> None:
        """Make or change an interface; in force when this returns. Raises NetworkError."""
        if not self.available:
            raise NetworkError("private networks take root, network namespaces and nftables, which are not here")
        if self._channel is None:
            raise NetworkError(_STARTING)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._applying.setdefault(plan.name, []).append(done)
        self._send({"interface": to_json(plan)})
        await done

    def remove(self, name: str) -> None:
        """Remove an interface; environments behind it have no network from then on. Harmless if there is none."""
        if self._channel is not None:
            self._send({"remove": name})

    async def show(self) -> dict[str, Any]:
        """What there is now, see `agent`. Raises NetworkError."""
        return await self._ask("show")

    async def probe(self, device: str, addresses: Iterable[str], own: str) -> dict[str, str]:
        """Who has these IPv4 addresses on the network of a device of the machine, by hardware address: those that
        nobody answers for are not in it. `own`: the hardware address that the asker would have. Takes 0.6 s if any is
        free. Raises NetworkError."""
        answer = await self._ask("probe", device=device, addresses=list(addresses), hardware=own)
        if answer["error"] is not None:
            raise NetworkError(answer["error"])
        return dict(answer["taken"])

    async def _ask(self, what: str, **parts: Any) -> dict[str, Any]:
        if self._channel is None:
            raise NetworkError(_STARTING if self.available else "there are no networks here")
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asking[number] = answer
        self._send({what: number, **parts})
        return await answer

    def _send(self, message: dict[str, Any]) -> None:
        assert self._channel is not None
        self._unsent.extend(frames.cut(json.dumps(message).encode()))
        self._send_rest()

    def _send_rest(self) -> None:
        if self._channel is None:
            return
        loop = asyncio.get_running_loop()
        while self._unsent:
            try:
                self._channel.send(self._unsent[0])
            except BlockingIOError:
                loop.add_writer(self._channel.fileno(), self._send_rest)
                return
            except OSError:
                self._unsent.clear()  # its end is seen by whoever reads
                break
            self._unsent.popleft()
        loop.remove_writer(self._channel.fileno())

    # --- answers ----------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        while self._channel is not None:
            try:
                data = self._channel.recv(frames.LONGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                if self._ready.done():
                    self._lose()
                else:
                    self._stop()
                    self._ready.set_exception(NetworkError("the process that makes networks did not start"))
                return
            message = self._joiner.add(data)
            if message is not None:
                self._hear(json.loads(message))

    def _hear(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self.problem = message["problem"]
            if self._ready.done():
                self.on_ready()
            else:
                self._ready.set_result(None)
        elif "interface" in message:
            waiting = self._applying.get(message["interface"], [])
            done = waiting.pop(0) if waiting else None
            if not waiting:
                self._applying.pop(message["interface"], None)
            if done is None or done.done():
                return
            if message["error"] is None:
                done.set_result(None)
            else:
                done.set_exception(NetworkError(message["error"]))
        elif "conflict" in message:
            self.on_conflict(message["conflict"], message["hardware"])
        elif "shown" in message or "probed" in message:
            found = self._asking.pop(message["shown"] if "shown" in message else message["probed"], None)
            if found is not None and not found.done():
                found.set_result(message)
