"""Brings a database to the schema of this release.

A fresh database gets the tables directly and is stamped; a current one costs one query. Alembic is imported only when
there is something to migrate: it takes longer to import than the rest of the server's start.
Called by `sql` in its worker thread, with a connection inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select

from ingle.encryption.master import Keyring
from ingle.storage import schema
from ingle.storage.errors import SchemaError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_to_head(
    connection: Connection, before_upgrade: Callable[[str], None], ring: Keyring | None = None
) -> None:  # fmt: skip
    """Creates or upgrades the tables. `before_upgrade(revision)` is called before an older database is touched.

    `ring`: what an upgrade encrypts with. Raises SchemaError if the database is newer than this release, or not ours.
    """
    revision = current_revision(connection)
    if revision == schema.HEAD:
        return
    if revision is None:
        _create(connection)
        return
    _upgrade(connection, revision, before_upgrade, ring)


def current_revision(connection: Connection) -> str | None:
    """The revision the database is stamped with; None if it has no stamp."""
    if not inspect(connection).has_table(schema.alembic_version.name):
        return None
    return connection.execute(select(schema.alembic_version.c.version_num)).scalar()


def _create(connection: Connection) -> None:
    found = inspect(connection).get_table_names()
    if found:
        raise SchemaError(f"The database holds tables that are not Ingle's: {', '.join(sorted(found)[:3])}.")
    schema.metadata.create_all(connection)
    schema.alembic_version.create(connection)
    connection.execute(insert(schema.alembic_version).values(version_num=schema.HEAD))


def _upgrade(
    connection: Connection, revision: str, before_upgrade: Callable[[str], None], ring: Keyring | None
) -> None:  # fmt: skip
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory.from_config(_alembic(connection)).get_revision(revision)
    except CommandError:
        raise SchemaError(f"The database has schema {revision}, newer than this release of Ingle knows.") from None
    before_upgrade(revision)
    run_migrations(connection, ring)


def run_migrations(connection: Connection, ring: Keyring | None = None) -> None:
    """Runs every revision that the database has not had, in the caller's transaction."""
    from alembic import command

    command.upgrade(_alembic(connection, ring), "head")


def _alembic(connection: Connection, ring: Keyring | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["ring"] = ring
    return config
