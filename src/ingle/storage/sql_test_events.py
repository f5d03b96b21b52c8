"""Test events of functions in SQL: the work of `sql.SqlStore` on their table, inside a transaction of its."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from ingle.domain.function import FunctionKey
from ingle.domain.test_event import TestEvent
from ingle.storage.errors import RecordNotFound
from ingle.storage.schema import functions
from ingle.storage.schema import test_events as table


def list_test_events(connection: Connection, key: FunctionKey) -> list[TestEvent]:
    columns = (table.c.event, table.c.size, table.c.modified)
    rows = connection.execute(select(*columns).where(_of(key)).order_by(table.c.event))
    return [TestEvent(name=row.event, size=row.size, modified=row.modified, sealed=b"") for row in rows]


def load_test_event(connection: Connection, key: FunctionKey, name: str) -> TestEvent | None:
    row = connection.execute(select(table).where(_named(key, name))).one_or_none()
    return None if row is None else TestEvent(name=name, size=row.size, modified=row.modified, sealed=row.sealed)


def save_test_event(connection: Connection, key: FunctionKey, event: TestEvent) -> None:
    its = functions.c.account == key.account, functions.c.region == key.region, functions.c.name == key.name
    if connection.execute(select(functions.c.name).where(and_(*its))).one_or_none() is None:
        raise RecordNotFound(f"Function {key.name} does not exist.")
    connection.execute(delete(table).where(_named(key, event.name)))
    row = {"account": key.account, "region": key.region, "name": key.name, "event": event.name, "size": event.size,
           "modified": event.modified, "sealed": event.sealed}  # fmt: skip
    connection.execute(table.insert().values(**row))


def delete_test_event(connection: Connection, key: FunctionKey, name: str) -> bool:
    return connection.execute(delete(table).where(_named(key, name))).rowcount > 0


def _of(key: FunctionKey) -> ColumnElement[bool]:
    return and_(table.c.account == key.account, table.c.region == key.region, table.c.name == key.name)


def _named(key: FunctionKey, name: str) -> ColumnElement[bool]:
    return and_(_of(key), table.c.event == name)
