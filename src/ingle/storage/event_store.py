"""Asynchronous events on disk, in a database of its own: what was acknowledged is here until it is over.

Written in groups: whatever was asked for while a transaction was under way goes into the next one, as one statement for
each kind of change, and with one sync for all of it. So an event costs a share of both. `transactions` has the database
and the thread that owns it. Nothing marks an event as taken: who takes it is known in memory only, and after a crash
every event is free again.

The row of an event never changes; how far it is has a row of its own, once it was tried. So a retry does not write the
payload again, and most events are one insertion and one deletion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    case,
    delete,
    func,
    inspect,
    select,
    text,
)

from ingle.domain.event import Event, Progress
from ingle.domain.function import FunctionKey
from ingle.storage.event_documents import decode_progress, encode_progress
from ingle.storage.sql_engine import open_engine
from ingle.storage.transactions import Transactions

#: Rows in one statement: SQLite bounds the number of values.
_CHUNK = 500
#: Events that are loaded in one go.
_PAGE = 1000
#: Bytes of a payload that is loaded with its event.
_SMALL = 4096

_metadata = MetaData()
_events = Table(
    "queued_events",
    _metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("name", String, nullable=False),
    Column("qualifier", String),
    Column("arn", String, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("trace_header", String),
    Column("tenant_id", String),
    Column("payload", LargeBinary, nullable=False),
)
#: `answer` is the payload of the function's last response, which may be large: read when it is needed only.
_progress = Table(
    "event_progress",
    _metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
)
_with_progress = _events.outerjoin(_progress, _events.c.number == _progress.c.number)


class Loaded(NamedTuple):
    """An event from an earlier server. `complete`: with all payloads there are, or else with none: see `bodies`."""

    number: int
    event: Event
    progress: Progress
    complete: bool


@dataclass(slots=True)
class _Batch:
    """What one transaction is going to write. `done` is resolved once it has."""

    done: asyncio.Future[None]
    added: dict[int, dict[str, Any]] = field(default_factory=dict)
    changed: dict[int, Progress] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)


class EventStore:
    """`async with EventStore(url) as store`; leaving writes what waits. Calls after that raise.

    Every call may raise StorageFull or StorageUnavailable. Events are known by the number that `add` gives them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._transactions = Transactions(self._open)
        #: The highest number that was in use when the store was opened, and the next one to be given.
        self._opened = 0
        self._next = 1
        self._batch: _Batch | None = None
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._transactions.open()
        except BaseException:
            await self._transactions.close()
            raise
        self._next = self._opened + 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await self._transactions.close()

    async def add(self, event: Event) -> int:
        """The number of the event, which is durable when this returns. Numbers grow."""
        number, durable = self.begin_add(event)
        await asyncio.shield(durable)
        return number

    def begin_add(self, event: Event) -> tuple[int, asyncio.Future[None]]:
        """As `add`, for callers who may be gone before the event is durable. The future is not to be cancelled."""
        batch = self._open_batch()
        number, self._next = self._next, self._next + 1
        batch.added[number] = {
            "number": number, "id": event.id, "account": event.key.account, "region": event.key.region,
            "name": event.key.name, "qualifier": event.qualifier, "arn": event.arn, "accepted": event.accepted,
            "trace_header": event.trace_header, "tenant_id": event.tenant_id, "payload": event.payload,
        }  # fmt: skip
        return number, batch.done

    async def change(self, number: int, progress: Progress) -> None:
        """Durable when it returns. Not for an event that was removed."""
        batch = self._open_batch()
        batch.changed[number] = progress
        await asyncio.shield(batch.done)

    async def remove(self, numbers: Iterable[int]) -> None:
        """Durable when it returns. Numbers that are gone already are ignored."""
        batch = self._open_batch()
        batch.removed.update(numbers)
        await asyncio.shield(batch.done)

    async def load(self, after: int = 0) -> list[Loaded]:
        """The next events that were here when the store was opened, by number; an empty list behind the last."""
        return await self._transactions.run(partial(self._load, after))

    async def bodies(self, number: int) -> tuple[bytes, bytes | None] | None:
        """The payloads of an event and of the last response to it; None for an event that is not there."""
        return await self._transactions.run(partial(_bodies, number))

    # --- groups -----------------------------------------------------------------------------------------------------

    def _open_batch(self) -> _Batch:
        """The batch that is written next, by a task that runs as long as there is one."""
        self._transactions.require_open()
        if self._batch is None:
            self._batch = _Batch(asyncio.get_running_loop().create_future())
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write_all())
        return self._batch

    async def _write_all(self) -> None:
        while (batch := self._batch) is not None:
            # What was asked for in this turn of the loop goes along.
            await asyncio.sleep(0)
            self._batch = None
            try:
                await self._transactions.run(partial(_write, batch))
            except Exception as error:  # told to those who wait for this batch, and to no other
                if not batch.done.cancelled():
                    batch.done.set_exception(error)
                    batch.done.exception()
            else:
                batch.done.set_result(None)
        self._writing = None

    # --- the thread -------------------------------------------------------------------------------------------------

    def _open(self) -> Engine:
        engine = open_engine(self._url)
        try:
            with engine.begin() as connection:
                _metadata.create_all(connection)
                _add_what_is_new(connection)
                highest = select(func.coalesce(func.max(_events.c.number), 0))
                self._opened = int(connection.execute(highest).scalar_one())
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _load(self, after: int, connection: Connection) -> list[Loaded]:
        columns = [column for column in _events.c if column.name != "payload"]
        small = case((func.length(_events.c.payload) <= _SMALL, _events.c.payload), else_=None)
        statement = (
            select(*columns, small.label("payload"), _progress.c.document)
            .select_from(_with_progress)
            .where(_events.c.number > after, _events.c.number <= self._opened)
            .order_by(_events.c.number)
            .limit(_PAGE)
        )
        return [_read(row) for row in connection.execute(statement)]


def _write(batch: _Batch, connection: Connection) -> None:
    if batch.added:
        connection.execute(_events.insert(), list(batch.added.values()))
    if batch.changed:
        _delete(connection, _progress, batch.changed)
        connection.execute(_progress.insert(), [_changed(*item) for item in batch.changed.items()])
    if batch.removed:
        _delete(connection, _events, batch.removed)
        _delete(connection, _progress, batch.removed)


def _add_what_is_new(connection: Connection) -> None:
    """A queue from before there were tenants gets their column; what is in it has none."""
    present = {column["name"] for column in inspect(connection).get_columns(_events.name)}
    if "tenant_id" not in present:
        connection.execute(text(f"ALTER TABLE {_events.name} ADD COLUMN tenant_id VARCHAR"))


def _delete(connection: Connection, table: Table, numbers: Iterable[int]) -> None:
    found = list(numbers)
    for start in range(0, len(found), _CHUNK):
        connection.execute(delete(table).where(table.c.number.in_(found[start : start + _CHUNK])))


def _bodies(number: int, connection: Connection) -> tuple[bytes, bytes | None] | None:
    statement = select(_events.c.payload, _progress.c.answer).select_from(_with_progress)
    row = connection.execute(statement.where(_events.c.number == number)).one_or_none()
    return None if row is None else (row.payload, row.answer)


def _changed(number: int, progress: Progress) -> dict[str, Any]:
    answer = None if progress.response is None else progress.response.payload
    return {"number": number, "document": encode_progress(progress), "answer": answer}


def _read(row: Any) -> Loaded:
    event = Event(
        id=row.id, key=FunctionKey(account=row.account, region=row.region, name=row.name), qualifier=row.qualifier,
        arn=row.arn, payload=row.payload or b"", accepted=row.accepted, trace_header=row.trace_header,
        tenant_id=row.tenant_id,
    )  # fmt: skip
    progress = Progress(due=row.accepted) if row.document is None else decode_progress(row.document)
    return Loaded(row.number, event, progress, row.payload is not None and progress.response is None)
