"""The way to the agent, also to one that was started again; with an agent that is played."""

from __future__ import annotations

import asyncio
import json
import socket
from ipaddress import IPv4Interface
from typing import Any

import pytest

from ingle.network import frames
from ingle.network.client import NetworkClient, NetworkError
from ingle.network.plan import Interface

PLAN = Interface(
    name="eni-1", network="vpc-1", subnet="subnet-1", hardware="02:00:00:00:00:01",
    addresses=(IPv4Interface("10.0.0.4/24"),),
)  # fmt: skip


class Played:
    """The other end of a channel."""

    def __init__(self) -> None:
        self.theirs, self._ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.tell({"ready": True, "problem": None})

    def tell(self, message: dict[str, Any]) -> None:
        for part in frames.cut(json.dumps(message).encode()):
            self._ours.send(part)

    def heard(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ours.recv(frames.LONGEST)[1:])
        return found

    def end(self) -> None:
        self._ours.close()


async def test_what_an_agent_was_asked_fails_with_it_and_the_next_one_is_asked_anew() -> None:
    agent, news = Played(), asyncio.Queue[str]()
    async with NetworkClient(agent.theirs) as client:
        client.on_lost, client.on_ready = lambda: news.put_nowait("lost"), lambda: news.put_nowait("ready")
        asked = [asyncio.ensure_future(client.apply(PLAN)), asyncio.ensure_future(client.show())]
        await asyncio.sleep(0)
        agent.end()
        assert await news.get() == "lost"
        for future in asked:
            with pytest.raises(NetworkError, match="ended"):
                await future
        assert client.available
        with pytest.raises(NetworkError, match="started again"):
            await client.apply(PLAN)
        client.remove("eni-1")
        agent = Played()
        client.reconnect(agent.theirs)
        assert await news.get() == "ready"
        applied = asyncio.ensure_future(client.apply(PLAN))
        await asyncio.sleep(0)
        assert agent.heard()["interface"]["name"] == "eni-1"
        agent.tell({"interface": "eni-1", "error": None})
        await applied
    agent.end()


async def test_an_agent_that_takes_the_place_of_another_whose_end_was_not_seen_yet_is_a_new_one() -> None:
    first, second, news = Played(), Played(), list[str]()
    async with NetworkClient(first.theirs) as client:
        client.on_lost = lambda: news.append("lost")
        asked = asyncio.ensure_future(client.show())
        await asyncio.sleep(0)
        first.end()
        client.reconnect(second.theirs)
        assert news == ["lost"]
        with pytest.raises(NetworkError, match="ended"):
            await asked
        assert first.theirs.fileno() == -1
        applied = asyncio.ensure_future(client.apply(PLAN))
        await asyncio.sleep(0)
        assert second.heard()["interface"]["name"] == "eni-1"
        second.tell({"interface": "eni-1", "error": None})
        await applied
    second.end()


async def test_an_agent_that_does_not_start_is_told() -> None:
    theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    with pytest.raises(NetworkError, match="did not start"):
        async with NetworkClient(theirs):
            pass


async def test_who_has_an_address_is_asked_and_conflicts_are_heard() -> None:
    agent, heard = Played(), asyncio.Queue[tuple[str, str]]()
    async with NetworkClient(agent.theirs) as client:
        client.on_conflict = lambda interface, hardware: heard.put_nowait((interface, hardware))
        asked = asyncio.ensure_future(client.probe("br0", ["10.0.0.4"], "02:00:00:00:00:01"))
        await asyncio.sleep(0)
        agent.tell({"conflict": "eni-1", "hardware": "02:00:00:00:00:02"})
        agent.tell({"probed": agent.heard()["probe"], "taken": {"10.0.0.4": "x"}, "error": None})
        assert await asked == {"10.0.0.4": "x"}
        assert await heard.get() == ("eni-1", "02:00:00:00:00:02")
        refused = asyncio.ensure_future(client.probe("br9", ["10.0.0.4"], "02:00:00:00:00:01"))
        await asyncio.sleep(0)
        agent.tell({"probed": agent.heard()["probe"], "taken": {}, "error": "no device br9"})
        with pytest.raises(NetworkError, match="br9"):
            await refused
    agent.end()
