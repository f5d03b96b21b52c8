"""The tables of the metrics database and the SQL on them. No dialect; everything here blocks. Called by `metrics`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    exists,
    select,
)

from ingle.domain.metrics import Aggregate, Series
from ingle.storage.metric_points import decode_buckets, encode_buckets

#: How many series and points are kept in memory at most, and points for how long, in seconds.
_MOST_REMEMBERED = 50_000
_REMEMBERED_SECONDS = 120

metadata = MetaData()

series_table = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("namespace", String, nullable=False),
    Column("name", String, nullable=False),
    Column("dimensions", String, nullable=False),
    Column("unit", String, nullable=False),
    UniqueConstraint("account", "region", "namespace", "name", "dimensions", "unit"),
)


def _points_table(name: str) -> Table:
    """`start` is in epoch seconds; `distribution` as `metric_points` writes it."""
    return Table(
        name,
        metadata,
        Column("series", Integer, primary_key=True, autoincrement=False),
        Column("start", BigInteger, primary_key=True, autoincrement=False),
        Column("count", Float, nullable=False),
        Column("total", Float, nullable=False),
        Column("minimum", Float, nullable=False),
        Column("maximum", Float, nullable=False),
        Column("distribution", LargeBinary),
        sqlite_with_rowid=False,
    )


minutes = _points_table("minutes")
seconds = _points_table("seconds")


def _table(fine: bool) -> Table:
    return seconds if fine else minutes


def _metric(series: Series) -> ColumnElement[bool]:
    """Every unit of a metric."""
    columns = series_table.c
    return and_(
        columns.account == series.account,
        columns.region == series.region,
        columns.namespace == series.namespace,
        columns.name == series.name,
        columns.dimensions == json.dumps(series.dimensions),
    )


def find(connection: Connection, series: Series) -> int | None:
    query = select(series_table.c.id).where(_metric(series), series_table.c.unit == series.unit)
    return connection.execute(query).scalar_one_or_none()


def create(connection: Connection, series: Series) -> int:
    values = {**series._asdict(), "dimensions": json.dumps(series.dimensions)}
    made = connection.execute(series_table.insert().values(**values)).inserted_primary_key
    assert made is not None
    return int(made[0])


def units(connection: Connection, series: Series) -> Sequence[str]:
    query = select(series_table.c.unit).where(_metric(series)).order_by(series_table.c.unit)
    return connection.execute(query).scalars().all()


def series_since(
    connection: Connection, account: str, region: str, since: int, *, namespace: str | None, name: str | None
) -> list[Series]:
    """Series with a point since then, in the order of namespace, name and dimensions."""
    columns = series_table.c
    recent = exists().where(minutes.c.series == columns.id, minutes.c.start >= since)
    query = select(series_table).where(columns.account == account, columns.region == region, recent)
    if namespace is not None:
        query = query.where(columns.namespace == namespace)
    if name is not None:
        query = query.where(columns.name == name)
    rows = connection.execute(query.order_by(columns.namespace, columns.name, columns.dimensions, columns.unit))
    return [Series(row.account, row.region, row.namespace, row.name, _pairs(row.dimensions), row.unit) for row in rows]


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))


def points(connection: Connection, number: int, start: int, end: int, *, fine: bool) -> Iterator[tuple[int, Aggregate]]:
    table = _table(fine)
    query = select(table).where(table.c.series == number, table.c.start >= start, table.c.start < end)
    for row in connection.execute(query.order_by(table.c.start)):
        _, at, count, total, minimum, maximum, distribution = row
        yield (
            at,
            Aggregate(
                count=count,
                total=total,
                minimum=minimum,
                maximum=maximum,
                buckets=decode_buckets(distribution, count, minimum),
            ),
        )


class PointCache:
    """Adds to stored points. Remembers numbers of series, and points of the last minutes: they are written often."""

    def __init__(self) -> None:
        self._numbers: dict[Series, int] = {}
        self._points: dict[tuple[int, int, bool], Aggregate] = {}
        self._newest = 0

    def clear(self) -> None:
        """After a transaction that did not commit, and when points were deleted."""
        self._numbers.clear()
        self._points.clear()

    def write(
        self, connection: Connection, found: Mapping[tuple[Series, int], Aggregate], *, fine: bool = False
    ) -> None:
        if not found:
            return
        rows = [
            _row(number, at, self._merged(connection, number, at, aggregate, fine))
            for (series, at), aggregate in found.items()
            for number in [self._number(connection, series)]
        ]
        table = _table(fine)
        same = and_(table.c.series == bindparam("of_series"), table.c.start == bindparam("at_start"))
        places = [{"of_series": row["series"], "at_start": row["start"]} for row in rows]
        connection.execute(delete(table).where(same), places)
        connection.execute(table.insert(), rows)
        self._forget_old(max(row["start"] for row in rows))

    def _merged(self, connection: Connection, number: int, at: int, aggregate: Aggregate, fine: bool) -> Aggregate:
        merged = self._points.get((number, at, fine))
        if merged is None:
            merged = self._points[number, at, fine] = Aggregate()
            for _, stored in points(connection, number, at, at + 1, fine=fine):
                merged.merge(stored)
        merged.merge(aggregate)
        return merged

    def _number(self, connection: Connection, series: Series) -> int:
        number = self._numbers.get(series)
        if number is None:
            if len(self._numbers) >= _MOST_REMEMBERED:
                self._numbers.clear()
            number = self._numbers[series] = find(connection, series) or create(connection, series)
        return number

    def _forget_old(self, newest: int) -> None:
        if newest > self._newest or len(self._points) >= _MOST_REMEMBERED:
            self._newest = max(newest, self._newest)
            limit = self._newest - _REMEMBERED_SECONDS
            self._points = {place: found for place, found in self._points.items() if place[1] >= limit}


def _row(number: int, at: int, aggregate: Aggregate) -> dict[str, Any]:
    return {
        "series": number,
        "start": at,
        "count": aggregate.count,
        "total": aggregate.total,
        "minimum": aggregate.minimum,
        "maximum": aggregate.maximum,
        "distribution": encode_buckets(aggregate),
    }


def prune(connection: Connection, minutes_before: int, seconds_before: int) -> None:
    """Deletes old points, and the series that have none left."""
    connection.execute(delete(minutes).where(minutes.c.start < minutes_before))
    connection.execute(delete(seconds).where(seconds.c.start < seconds_before))
    left = exists().where(minutes.c.series == series_table.c.id)
    connection.execute(delete(series_table).where(~left))
