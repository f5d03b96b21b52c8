"""The tables, in SQLAlchemy Core's words and no dialect's. `migrations/` says how a database gets there.

Used by `sql`. A change here comes with a revision in `migrations/versions` and a new HEAD; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, MetaData, String, Table

#: The newest revision in migrations/versions. A literal: reading the scripts would mean importing Alembic.
HEAD = "0012"

metadata = MetaData()

#: `serving`: "none", "latest" (what serves is the recorded $LATEST) or "own" (it has a row of its own in versions).
#: `next_version`: the number that the next published version gets; it only grows.
#: `tags`: NULL for a function that never had one.
#: `reserved_concurrency`: null without a reserve, which is not the same as 0.
functions = Table(
    "functions",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("serving", String, nullable=False),
    Column("next_version", BigInteger, nullable=False, server_default="1"),
    Column("tags", JSON(none_as_null=True), nullable=True),
    Column("reserved_concurrency", BigInteger),
)

#: `role` of a version: as the API shows it, or the earlier one that $LATEST still runs.
RECORDED = "recorded"
SERVING = "serving"

versions = Table(
    "versions",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("role", String, primary_key=True),
    Column("revision_id", String, nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("document", JSON, nullable=False),
)

#: `name` is the function's.
aliases = Table(
    "aliases",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("alias", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: `qualifier`: a version's number or an alias' name.
provisioned_concurrency = Table(
    "provisioned_concurrency",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("qualifier", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: A layer keeps its row when its last version is deleted: `next_version` only grows.
layers = Table(
    "layers",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("next_version", BigInteger, nullable=False),
)

layer_versions = Table(
    "layer_versions",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: `name` is the function's, `kind` what is attached (`attachment_documents` has the names).
attachments = Table(
    "attachments",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("qualifier", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: `name` is the function's, `event` that of the test event. They are read when they are asked for, and in no memory.
test_events = Table(
    "test_events",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("event", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

code_signing_configs = Table(
    "code_signing_configs",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: `id` is the key's UUID. The document has its materials, wrapped under the master key, which is in no table.
kms_keys = Table(
    "kms_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("document", JSON, nullable=False),
)

kms_aliases = Table(
    "kms_aliases",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("key_id", String, nullable=False),
    Column("document", JSON, nullable=False),
)

kms_grants = Table(
    "kms_grants",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: `kind`: user, group, role, policy or key; names of keys are their ids. Names are unique whatever their case.
identities = Table(
    "identities",
    metadata,
    Column("account", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

#: Everything in private networks. `kind`: EC2's resource type. `made` orders records as they were made.
network_records = Table(
    "network_records",
    metadata,
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("made", BigInteger, nullable=False, index=True),
    Column("document", JSON, nullable=False),
)

_bookkeeping = MetaData()

#: Alembic's own table, as Alembic makes it, so that a current database can be recognised without importing Alembic.
alembic_version = Table(
    "alembic_version",
    _bookkeeping,
    Column("version_num", String(32), primary_key=True, nullable=False),
)
