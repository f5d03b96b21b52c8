"""The socket by which an operator reaches a server, and the rotation of the master key through it."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingle.encryption.master import Keyring, MasterKey, MasterKeyError, MasterKeys
from ingle.encryption.sources import FileSource
from ingle.master_key import channel, finding
from ingle.master_key.channel import Channel, ChannelError, NoServer, Refused
from ingle.master_key.rotation import operator, rotate
from ingle.settings import Settings

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("do") == "fail":
        raise RuntimeError("a secret detail")
    if request.get("do") == "refuse":
        raise Refused("not that")
    return {"said": request}


async def ask(directory: Path, request: Any) -> dict[str, Any]:
    return await asyncio.to_thread(channel.ask, directory, request)


async def test_a_request_gets_its_answer_also_where_the_path_is_long(tmp_path: Path):
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    async with Channel(directory, echo):
        assert await ask(directory, {"a": 1}) == {"said": {"a": 1}}
        assert stat.S_IMODE((directory / channel.NAME).stat().st_mode) == 0o600
        assert await ask(directory, {"do": "refuse"}) == {"error": "not that"}
        assert await ask(directory, {"do": "fail"}) == {"error": "The server failed; its log says why."}
        assert "error" in await ask(directory, [1])
    assert list(directory.iterdir()) == []
    with pytest.raises(NoServer):
        await ask(directory, {})


async def test_what_a_killed_server_has_left_is_no_hindrance(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / channel.NAME))
    with pytest.raises(NoServer):
        await ask(tmp_path, {})
    async with Channel(tmp_path, echo):
        assert await ask(tmp_path, {}) == {"said": {}}


@pytest.mark.parametrize("sent", [b"", b"not json\n", b"\xff\n", b"x" * 100_000 + b"\n", b"{}"])
async def test_nonsense_ends_the_connection_and_nothing_else(tmp_path: Path, sent: bytes):
    async with Channel(tmp_path, echo):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / channel.NAME))
        writer.write(sent)
        writer.write_eof()
        answer = await reader.read()
        assert not answer or "error" in json.loads(answer) or answer == b'{"said": {}}\n'
        writer.close()
        assert await ask(tmp_path, {"a": 1}) == {"said": {"a": 1}}


async def test_a_server_that_says_nothing_is_told_as_one_line(tmp_path: Path):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_unix_server(hang_up, str(tmp_path / channel.NAME))
    async with server:
        with pytest.raises(ChannelError, match="gave no answer"):
            await ask(tmp_path, {})


class Rewrapping:
    """A server's part: it remembers the rings that it was told to use."""

    def __init__(self, master: MasterKeys) -> None:
        self.master = master
        self.rings: list[Keyring] = []

    async def use_ring(self, ring: Keyring) -> int:
        self.rings.append(ring)
        self.master.ring = ring
        return 3


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    return lambda **changes: replace(Settings(data_dir=tmp_path), **changes)


async def test_a_rotation_puts_a_new_key_before_the_old_one_in_file_and_server(tmp_path: Path, settings):
    before = await asyncio.to_thread(finding.open_ring, settings())
    server = Rewrapping(MasterKeys(before))
    async with Channel(tmp_path, operator(server.master, server.use_ring)):
        rotated = await asyncio.to_thread(rotate, settings(), forget=False)
    (ring,) = server.rings
    assert (rotated.rewrapped, rotated.key, ring.keys[1:]) == (3, ring.current.id, before.keys)
    assert FileSource(tmp_path / "master.key").read() == ring


async def test_former_keys_are_forgotten_when_that_is_asked_for(tmp_path: Path, settings):
    server = Rewrapping(MasterKeys(await asyncio.to_thread(finding.open_ring, settings())))
    async with Channel(tmp_path, operator(server.master, server.use_ring)):
        rotated = await asyncio.to_thread(rotate, settings(), forget=True)
    found = FileSource(tmp_path / "master.key").read()
    assert found is not None
    assert [key.id for key in found.keys] == [rotated.key]


def test_without_a_server_the_next_start_takes_the_new_key_into_use(tmp_path: Path, settings):
    before = finding.open_ring(settings())
    rotated = rotate(settings(), forget=True)
    ring = finding.open_ring(settings())
    assert (rotated.rewrapped, ring.current.id, ring.keys[1:]) == (None, rotated.key, before.keys)


async def test_keys_from_a_variable_are_rotated_by_giving_both(tmp_path: Path, settings, monkeypatch):
    chosen = settings(master_key="env:INGLE_TEST_KEY")
    monkeypatch.setenv("INGLE_TEST_KEY", OLD.text)
    server = Rewrapping(MasterKeys(finding.open_ring(chosen)))
    async with Channel(tmp_path, operator(server.master, server.use_ring)):
        with pytest.raises(MasterKeyError, match="gives one key"):
            await asyncio.to_thread(rotate, chosen, forget=False)
        monkeypatch.setenv("INGLE_TEST_KEY", f"{NEW.text} {OLD.text}")
        assert (await asyncio.to_thread(rotate, chosen, forget=False)).key == NEW.id
    assert server.rings == [Keyring((NEW, OLD))]
    assert not (tmp_path / "master.key").exists()


@pytest.mark.parametrize(
    ("keys", "said"),
    [([NEW.text], "do not include the one that the server uses"), ([OLD.text], "uses already"), (["x"], "in base64"),
     ([], "no master key"), ("x", "no master key"), ([1], "in base64")],
)  # fmt: skip
async def test_a_server_takes_no_keys_from_somebody_who_does_not_have_its_own(tmp_path: Path, keys: Any, said: str):
    server = Rewrapping(MasterKeys(Keyring((OLD,))))
    async with Channel(tmp_path, operator(server.master, server.use_ring)):
        answer = await ask(tmp_path, {"do": "rotate-master", "keys": keys})
    assert (said in answer["error"], server.rings) == (True, [])
    assert OLD.text not in answer["error"]


def test_the_key_of_a_new_directory_is_made_once(tmp_path: Path, settings):
    made = finding.open_ring(settings())
    assert finding.open_ring(settings()) == made
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600


def test_a_key_that_is_in_use_has_to_be_there():
    source = FileSource(Path("/somewhere/master.key"))
    finding.require(Keyring((NEW, OLD)), {OLD.id}, source)
    with pytest.raises(
        MasterKeyError, match=f"The master key {OLD.id}, which .* is missing.*the file /somewhere/master"
    ):
        finding.require(Keyring((NEW,)), {OLD.id}, source)
