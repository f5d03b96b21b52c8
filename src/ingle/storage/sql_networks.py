"""VPCs and everything in them in SQL: the work of `sql.SqlStore` on their table, in its transactions.

A record's document has all its fields but kind, id, account and region. Fields that a document lacks take the record's
defaults, so records can gain fields without a migration.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from ingle.domain.vpc import KINDS, Resource
from ingle.storage.schema import network_records as table

_KEYS = ("id", "account", "region")
_HERE = table.c.kind == bindparam("at_kind"), table.c.id == bindparam("at_id")
_DROP = delete(table).where(*_HERE)
_REPLACE = table.update().where(*_HERE)


def load_networks(connection: Connection) -> list[Resource]:
    order = (table.c.account, table.c.region, table.c.made)
    return [_record(row) for row in connection.execute(select(table).order_by(*order))]


def change_networks(connection: Connection, put: Iterable[Resource], removed: Iterable[Resource]) -> None:
    gone = [_at(record) for record in removed]
    if gone:
        connection.execute(_DROP, gone)
    new = []
    for record in put:
        replaced = connection.execute(_REPLACE, {**_at(record), "document": _document(record)})
        if replaced.rowcount == 0:
            new.append(record)
    if new:
        last = connection.execute(select(func.max(table.c.made))).scalar() or 0
        connection.execute(table.insert(), [_row(record, made) for made, record in enumerate(new, last + 1)])


def _at(record: Resource) -> dict[str, str]:
    return {"at_kind": record.kind, "at_id": record.id}


def _row(record: Resource, made: int) -> dict[str, Any]:
    keys = {name: getattr(record, name) for name in _KEYS}
    return {"kind": record.kind, **keys, "made": made, "document": _document(record)}


def _document(record: Resource) -> dict[str, Any]:
    return {name: value for name, value in asdict(record).items() if name not in _KEYS}


def _record(row: Any) -> Resource:
    kind = KINDS[row.kind]
    values = {name: getattr(row, name) for name in _KEYS}
    record: Resource = kind(**values, **_fields(kind, row.document))
    return record


def _fields(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    readers: dict[str, Callable[[Any], Any]] = _readers(kind)  # type: ignore[arg-type]
    return {name: readers[name](value) for name, value in document.items() if name in readers}


@cache
def _readers(kind: type[Any]) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """From JSON to a value of a type that records have: a scalar, a mapping of texts, a tuple or a nested value."""
    if is_dataclass(hint):
        made: Any = hint
        return lambda value: made(**_fields(made, value))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is UnionType and NoneType in arguments:
        inner = _reader(next(argument for argument in arguments if argument is not NoneType))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        element = _reader(arguments[0])
        return lambda value: tuple(element(item) for item in value)
    return lambda value: value
