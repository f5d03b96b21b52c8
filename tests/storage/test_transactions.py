"""Transactions: what waits is committed together, and what fails does so alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, event, select

from ingle.storage.errors import StorageUnavailable
from ingle.storage.sql_engine import open_engine
from ingle.storage.transactions import MOST, Transactions

NUMBERS = Table("numbers", MetaData(), Column("number", Integer, primary_key=True))


class Counted:
    """Transactions of a database whose commits are counted, once it is made."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.transactions = Transactions(self._open)
        self.commits = 0

    def _open(self) -> Engine:
        engine = open_engine(self._url)
        with engine.begin() as connection:
            NUMBERS.create(connection)
        event.listen(engine, "commit", self._committed)
        return engine

    def _committed(self, connection: Connection) -> None:
        self.commits += 1

    async def held(self) -> Callable[[], None]:
        """Keeps the thread busy until the result is called."""
        started, end = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def work(connection: Connection) -> None:
            loop.call_soon_threadsafe(started.set)
            end.wait(10)

        running = asyncio.create_task(self.transactions.run(work))
        await started.wait()
        self.held_by = running
        return end.set

    def add(self, number: int) -> asyncio.Task[int]:
        def work(connection: Connection) -> int:
            connection.execute(NUMBERS.insert().values(number=number))
            return number

        return asyncio.create_task(self.transactions.run(work))

    async def numbers(self) -> list[int]:
        return await self.transactions.run(lambda connection: list(connection.scalars(select(NUMBERS.c.number))))


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    made = Counted(f"sqlite:///{tmp_path}/test.db")
    await made.transactions.open()
    yield made
    await made.transactions.close()


async def test_what_waits_is_committed_together(counted: Counted):
    release = await counted.held()
    waiting = [counted.add(number) for number in range(10)]
    await asyncio.sleep(0)
    release()
    assert await asyncio.gather(*waiting) == list(range(10))
    assert counted.commits == 2
    assert await counted.numbers() == list(range(10))


async def test_a_transaction_is_shared_by_so_many_at_most(counted: Counted):
    release = await counted.held()
    waiting = [counted.add(number) for number in range(2 * MOST)]
    await asyncio.sleep(0)
    release()
    await asyncio.gather(*waiting)
    assert counted.commits == 3


async def test_what_fails_fails_alone(counted: Counted):
    await counted.add(3)
    release = await counted.held()
    waiting = [counted.add(number) for number in (1, 2, 3, 4, 4)]
    await asyncio.sleep(0)
    release()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes] == [
        1, 2, StorageUnavailable, 4, StorageUnavailable,
    ]  # fmt: skip
    assert await counted.numbers() == [1, 2, 3, 4]


async def test_a_cancelled_call_takes_no_other_along(counted: Counted):
    release = await counted.held()
    cancelled, other = counted.add(1), counted.add(2)
    await asyncio.sleep(0)
    cancelled.cancel()
    release()
    assert await other == 2
    assert 2 in await counted.numbers()


async def test_closing_finishes_what_was_asked_for(counted: Counted, tmp_path: Path):
    release = await counted.held()
    waiting = [counted.add(number) for number in range(2 * MOST)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(counted.transactions.close())
    await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable):
        await counted.numbers()
    release()
    await closing
    assert await asyncio.gather(*waiting) == list(range(2 * MOST))
