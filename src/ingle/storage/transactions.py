"""Transactions of a database that one thread owns, where what waits for the thread is committed together.

A commit costs what the device needs to make it durable, whatever is in it: while one is under way, the work that comes
meanwhile gathers, and shares the next. What comes alone is committed at once. Used by `sql` and `event_store`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ingle.storage.errors import StorageUnavailable
from ingle.storage.sql_engine import named_error

_Result = TypeVar("_Result")
Work = Callable[[Connection], Any]

#: Pieces of work that share a transaction, at most: the first of them waits for the last.
MOST = 64


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Work
    outcome: asyncio.Future[Any]


class Transactions:
    """`open_database` gives the engine, in the thread; closing this disposes of it.

    Work takes effect in the order in which it was asked for. Where a shared transaction fails, each piece of its work
    is done again by itself, so that one fails alone; work therefore changes nothing but the database.
    """

    def __init__(self, open_database: Callable[[], Engine]) -> None:
        self._open_database = open_database
        self._engine: Engine | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingle-sql")
        self._waiting: list[_Waiting] = []
        self._running: asyncio.Future[list[Any]] | None = None
        self._closed = False

    async def open(self) -> None:
        """Raises what opening the database raises. `close` is due afterwards in any case."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except SQLAlchemyError as error:
            raise named_error(error) from error

    async def close(self) -> None:
        """Finishes what was asked for, then closes the database. Idempotent."""
        if self._closed:
            return
        self._closed = True
        while self._running is not None:
            await asyncio.wait([self._running])
        await asyncio.get_running_loop().run_in_executor(self._thread, self._dispose)
        self._thread.shutdown(wait=False)

    def require_open(self) -> None:
        """Raise StorageUnavailable once this was closed."""
        if self._closed:
            raise StorageUnavailable("The database is closed.")

    async def run(self, work: Callable[[Connection], _Result]) -> _Result:
        """The result of `work`, after the durable commit. A call that is cancelled may still take effect.

        Raises what the work raises, and StorageFull or StorageUnavailable.
        """
        self.require_open()
        outcome = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, outcome))
        if self._running is None:
            self._start()
        try:
            return cast("_Result", await outcome)
        except SQLAlchemyError as error:
            raise named_error(error) from error

    async def apart(self, work: Callable[[Engine], _Result]) -> _Result:
        """The result of `work`, which is done outside of any transaction, once those under way are over."""
        self.require_open()
        assert self._engine is not None, "it is there from opening to closing"
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._engine)
        except SQLAlchemyError as error:
            raise named_error(error) from error

    def _start(self) -> None:
        """Hand what waits to the thread, which is free."""
        shared, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        works = [waiting.work for waiting in shared]
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._outcomes, works)
        self._running.add_done_callback(lambda done: self._finish(shared, done))

    def _finish(self, shared: Sequence[_Waiting], done: asyncio.Future[list[Any]]) -> None:
        self._running = None
        if self._waiting:
            self._start()
        for waiting, outcome in zip(shared, done.result(), strict=True):
            if waiting.outcome.done():
                continue  # cancelled
            if isinstance(outcome, Exception):
                waiting.outcome.set_exception(outcome)
            else:
                waiting.outcome.set_result(outcome)

    def _outcomes(self, works: Sequence[Work]) -> list[Any]:
        """What each piece of work gives, or the error that it raised."""
        try:
            return self._transact(works)
        except Exception as error:
            if len(works) == 1:
                return [error]
        return [outcome for work in works for outcome in self._outcomes([work])]

    def _transact(self, works: Sequence[Work]) -> list[Any]:
        assert self._engine is not None, "the thread runs nothing before it has opened the database"
        with self._engine.begin() as connection:
            return [work(connection) for work in works]

    def _open(self) -> None:
        self._engine = self._open_database()

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
