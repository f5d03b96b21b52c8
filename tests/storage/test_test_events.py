"""What every TestEventStore promises, and a sealer that threads share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingle.domain.function import FunctionKey
from ingle.domain.test_event import TestEvent
from ingle.encryption.master import Keyring, MasterKey, MasterKeys
from ingle.storage.errors import RecordNotFound
from ingle.storage.sealing import FileSealer
from ingle.storage.sql import SqlStore
from ingle.testing.memory_store import MemoryStore

from .values import make_function

FUNCTION = make_function()
KEY = FUNCTION.key
EVENT = TestEvent(name="one", size=2, modified=5, sealed=b"{}")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
            yield sql


async def test_events_come_back_as_they_were_and_are_listed_without_contents(store: Any) -> None:
    await store.insert(FUNCTION)
    other = replace(EVENT, name="a", sealed=b"[]")
    for event in (EVENT, other):
        await store.save_test_event(KEY, event)
    assert await store.load_test_event(KEY, "one") == EVENT
    assert await store.list_test_events(KEY) == [replace(other, sealed=b""), replace(EVENT, sealed=b"")]
    assert await store.load_test_event(KEY, "none") is None
    changed = replace(EVENT, size=3, modified=6, sealed=b"{1}")
    await store.save_test_event(KEY, changed)
    assert await store.load_test_event(KEY, "one") == changed
    assert await store.delete_test_event(KEY, "one")
    assert not await store.delete_test_event(KEY, "one")
    assert await store.load_test_event(KEY, "one") is None


async def test_events_go_with_their_function_and_with_no_other(store: Any) -> None:
    neighbour = make_function("neighbour")
    for function in (FUNCTION, neighbour):
        await store.insert(function)
        await store.save_test_event(function.key, EVENT)
    await store.save(FUNCTION)
    assert await store.load_test_event(KEY, "one") == EVENT
    await store.delete(KEY)
    await store.insert(FUNCTION)
    assert await store.list_test_events(KEY) == []
    assert await store.load_test_event(neighbour.key, "one") == EVENT


async def test_there_are_none_without_a_function(store: Any) -> None:
    nobody = FunctionKey(account="1", region="r", name="nobody")
    with pytest.raises(RecordNotFound):
        await store.save_test_event(nobody, EVENT)
    assert await store.list_test_events(nobody) == []


def test_threads_that_seal_first_share_one_key(tmp_path: Path) -> None:
    master = MasterKeys(Keyring((MasterKey.generate(),)))
    sealer = FileSealer(tmp_path / "key", master)
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda number: sealer.seal(b"x", str(number)), range(8)))
    again = FileSealer(tmp_path / "key", master)
    assert [again.open(item, str(number)) for number, item in enumerate(sealed)] == [b"x"] * 8
