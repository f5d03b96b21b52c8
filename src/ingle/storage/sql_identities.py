"""Users, groups, roles, keys and policies in SQL: the work of `sql.SqlStore` on their table, in its transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, and_, delete, select

from ingle.domain.identity import KINDS, PolicyVersion, Record
from ingle.storage.schema import identities as table


def load_identities(connection: Connection) -> list[Record]:
    order = (table.c.account, table.c.kind, table.c.name)
    return [_record(row.kind, row.document) for row in connection.execute(select(table).order_by(*order))]


def change_identities(connection: Connection, put: Iterable[Record], removed: Iterable[Record]) -> None:
    records = list(put)
    for record in [*records, *removed]:
        here = and_(table.c.account == record.account, table.c.kind == record.kind, table.c.name == record.name.lower())
        connection.execute(delete(table).where(here))
    if records:
        connection.execute(table.insert(), [_row(record) for record in records])


def _row(record: Record) -> dict[str, Any]:
    return {"account": record.account, "kind": record.kind, "name": record.name.lower(), "document": asdict(record)}


def _record(kind: str, document: Mapping[str, Any]) -> Record:
    made = KINDS[kind]
    known = {item.name for item in fields(made)}
    record: Record = made(**{name: _value(name, value) for name, value in document.items() if name in known})
    return record


def _value(name: str, value: Any) -> Any:
    if name == "versions":
        return {number: PolicyVersion(**version) for number, version in value.items()}
    return tuple(value) if isinstance(value, list) else value
