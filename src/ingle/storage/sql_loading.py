"""Reading every function from SQL, as a server does when it starts: the work of `sql.SqlStore`, inside a transaction of
its.

There may be tens of thousands of versions, and nothing is served before they are read.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Text, cast, select

from ingle.domain.alias import Alias
from ingle.domain.attachments import Attachments
from ingle.domain.concurrency import Provisioned
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, Version
from ingle.storage.documents import (
    NOTHING,
    Document,
    Shared,
    alias_from_document,
    from_document,
    provisioned_from_document,
)
from ingle.storage.schema import RECORDED, SERVING, aliases, functions, provisioned_concurrency, versions
from ingle.storage.sql_attachments import load_attachments

#: Versions of one function by number and role: its rows in the table of versions.
Versions = dict[tuple[str, str], Version]

_UNATTACHED = Attachments()


def load_functions(connection: Connection) -> list[Function]:
    """All of them, ordered by account, region and name. What they have in common is in memory once."""
    shared = Shared()
    found = _load_versions(connection, shared)
    named: dict[FunctionKey, dict[str, Alias]] = {}
    for row in connection.execute(select(aliases)):
        named.setdefault(_key_of(row), {})[row.alias] = alias_from_document(row.alias, row.document)
    ahead: dict[FunctionKey, dict[str, Provisioned]] = {}
    for row in connection.execute(select(provisioned_concurrency)):
        ahead.setdefault(_key_of(row), {})[row.qualifier] = provisioned_from_document(row.document)
    attached = load_attachments(connection)
    order = (functions.c.account, functions.c.region, functions.c.name)
    rows = [(row, _key_of(row)) for row in connection.execute(select(functions).order_by(*order))]
    return [
        _function(
            row,
            found[key],
            aliases=named.get(key, NOTHING),
            tags=None if row.tags is None else shared.setdefault(tuple(row.tags.items()), row.tags),
            attachments=attached.get(key, _UNATTACHED),
            provisioned=ahead.get(key, NOTHING),
        )
        for row, key in rows
    ]


def _load_versions(connection: Connection, shared: Shared) -> dict[FunctionKey, Versions]:
    found: dict[FunctionKey, Versions] = {}
    columns = (versions.c.account, versions.c.region, versions.c.name, versions.c.version, versions.c.role)
    for account, region, name, number, role, text in connection.execute(
        select(*columns, cast(versions.c.document, Text))
    ):
        key = shared[FunctionKey(account=shared[account], region=shared[region], name=name)]
        found.setdefault(key, {})[shared[number], role] = from_document(key, shared[number], _parsed(text), shared)
    return found


def _parsed(text: str) -> Document:
    try:
        document: Document = orjson.loads(text)
    except orjson.JSONDecodeError:
        # Half a surrogate pair, as in the name of a file that a message cites: JSON to everybody but orjson.
        document = json.loads(text)
    return document


def _function(row: Row[Any], found: Versions, **others: Any) -> Function:
    """`others`: members that are not versions."""
    latest = found.pop((LATEST, RECORDED))
    own = found.pop((LATEST, SERVING), None)
    published = sorted(found.values(), key=lambda version: version.number)
    if published and _same(published[-1].configuration, latest.configuration):
        latest = replace(latest, configuration=published[-1].configuration)
    return Function(
        key=latest.key,
        latest=latest,
        serving={"own": own, "latest": latest}.get(row.serving),
        versions={version.version: version for version in published},
        next_version=row.next_version,
        reserved=row.reserved_concurrency,
        **others,
    )


def _same(one: Configuration, other: Configuration) -> bool:
    """Equal also in what is known of packages, which are in memory once."""
    if one != other or one.package is not other.package:
        return False
    return all(here.package is there.package for here, there in zip(one.layers, other.layers, strict=True))


def _key_of(row: Row[Any]) -> FunctionKey:
    return FunctionKey(account=row.account, region=row.region, name=row.name)
