"""Code signing configurations in SQL: the work of `sql.SqlStore` on their table, inside a transaction of its."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.storage.schema import code_signing_configs as table


def load_code_signing_configs(connection: Connection) -> list[CodeSigningConfig]:
    return [
        CodeSigningConfig(
            key=CodeSigningKey(account=row.account, region=row.region, id=row.id),
            publishers=tuple(row.document["publishers"]),
            last_modified=row.document["last_modified"],
            policy=row.document["policy"],
            description=row.document["description"],
            tags=row.document.get("tags"),
        )
        for row in connection.execute(select(table).order_by(table.c.account, table.c.region, table.c.id))
    ]


def save_code_signing_config(connection: Connection, config: CodeSigningConfig) -> None:
    delete_code_signing_config(connection, config.key)
    document = {
        "publishers": list(config.publishers),
        "last_modified": config.last_modified,
        "policy": config.policy,
        "description": config.description,
        "tags": None if config.tags is None else dict(config.tags),
    }
    key = config.key
    row = {"account": key.account, "region": key.region, "id": key.id, "document": document}
    connection.execute(table.insert().values(**row))


def delete_code_signing_config(connection: Connection, key: CodeSigningKey) -> None:
    connection.execute(delete(table).where(_of(key)))


def _of(key: CodeSigningKey) -> ColumnElement[bool]:
    return and_(table.c.account == key.account, table.c.region == key.region, table.c.id == key.id)
