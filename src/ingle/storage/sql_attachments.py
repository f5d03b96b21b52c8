"""What is attached to functions in SQL: the work of `sql.SqlStore` on that table, inside a transaction of its."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, select

from ingle.domain.attachments import Attachments
from ingle.domain.function import Function, FunctionKey
from ingle.storage.attachment_documents import NAMES, from_document, to_document
from ingle.storage.schema import attachments

_Values = Mapping[tuple[type[Any], str], Any]


def load_attachments(connection: Connection) -> dict[FunctionKey, Attachments]:
    """What functions have, those that have anything."""
    found: defaultdict[FunctionKey, dict[tuple[type[Any], str], Any]] = defaultdict(dict)
    for row in connection.execute(select(attachments)):
        value = from_document(row.kind, row.document)
        found[FunctionKey(account=row.account, region=row.region, name=row.name)][type(value), row.qualifier] = value
    return {key: Attachments(values) for key, values in found.items()}


def save_attachments(connection: Connection, function: Function, there: _Values) -> None:
    """Makes `there`, what is stored, that of the function. Only what differs is written."""
    wanted, key = function.attachments.values, function.key
    for kind, qualifier in (identity for identity in there if wanted.get(identity) is not there[identity]):
        row = and_(
            attachments.c.account == key.account,
            attachments.c.region == key.region,
            attachments.c.name == key.name,
            attachments.c.qualifier == qualifier,
            attachments.c.kind == NAMES[kind],
        )
        connection.execute(delete(attachments).where(row))
    rows = [
        {
            "account": key.account,
            "region": key.region,
            "name": key.name,
            "qualifier": qualifier,
            "kind": NAMES[kind],
            "document": to_document(value),
        }
        for (kind, qualifier), value in wanted.items()
        if there.get((kind, qualifier)) is not value
    ]
    if rows:
        connection.execute(attachments.insert(), rows)
