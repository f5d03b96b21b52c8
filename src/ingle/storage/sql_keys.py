"""KMS keys, aliases and grants in SQL: the work of `sql.SqlStore` on their tables, inside a transaction of its."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from ingle.domain.kms import Grant, KeyMaterial, KeyState, KmsAlias, KmsKey
from ingle.storage.schema import kms_aliases, kms_grants, kms_keys
from ingle.storage.store import StoredKeys

Document = dict[str, Any]

_PLAIN = ("created", "policy", "description", "deletion", "managed", "rotation_days", "next_rotation")
_OF_GRANTS = (
    "created", "issuing_account", "name", "grantee", "grantee_service", "retiring", "retiring_service",
)  # fmt: skip


def load_keys(connection: Connection) -> StoredKeys:
    grants = [_grant(row.key_id, row.id, row.document) for row in connection.execute(select(kms_grants))]
    return StoredKeys(
        keys=tuple(
            key_from_document(row.account, row.region, row.id, row.document)
            for row in connection.execute(select(kms_keys))
        ),
        aliases=tuple(
            KmsAlias(account=row.account, region=row.region, name=row.name, key_id=row.key_id, **row.document)
            for row in connection.execute(select(kms_aliases))
        ),
        grants=tuple(sorted(grants, key=lambda grant: (grant.created, grant.id))),
    )


def save_keys(connection: Connection, keys: Sequence[KmsKey], alias: KmsAlias | None) -> None:
    for key in keys:
        row = {"id": key.id, "account": key.account, "region": key.region, "document": key_to_document(key)}
        connection.execute(delete(kms_keys).where(kms_keys.c.id == key.id))
        connection.execute(kms_keys.insert().values(**row))
    if alias is not None:
        save_alias(connection, alias)


def delete_key(connection: Connection, key_id: str) -> None:
    connection.execute(delete(kms_grants).where(kms_grants.c.key_id == key_id))
    connection.execute(delete(kms_aliases).where(kms_aliases.c.key_id == key_id))
    connection.execute(delete(kms_keys).where(kms_keys.c.id == key_id))


def save_alias(connection: Connection, alias: KmsAlias) -> None:
    delete_alias(connection, alias)
    place = {"account": alias.account, "region": alias.region, "name": alias.name, "key_id": alias.key_id}
    document = {"created": alias.created, "updated": alias.updated}
    connection.execute(kms_aliases.insert().values(**place, document=document))


def delete_alias(connection: Connection, alias: KmsAlias) -> None:
    connection.execute(delete(kms_aliases).where(_of_alias(alias)))


def save_grant(connection: Connection, grant: Grant) -> None:
    delete_grant(connection, grant)
    document = {name: getattr(grant, name) for name in _OF_GRANTS}
    document |= {"operations": list(grant.operations), "constraints": dict(grant.constraints)}
    connection.execute(kms_grants.insert().values(key_id=grant.key_id, id=grant.id, document=document))


def delete_grant(connection: Connection, grant: Grant) -> None:
    row = and_(kms_grants.c.key_id == grant.key_id, kms_grants.c.id == grant.id)
    connection.execute(delete(kms_grants).where(row))


def key_to_document(key: KmsKey) -> Document:
    """Everything of a key except its account, region and id."""
    document: Document = {name: getattr(key, name) for name in _PLAIN}
    document["state"] = key.state.value
    document["tags"] = dict(key.tags)
    document["materials"] = [
        {
            "id": material.id,
            "wrapped": b64encode(material.wrapped).decode(),
            "created": material.created,
            "rotation": material.rotation,
        }
        for material in key.materials
    ]
    return document


def key_from_document(account: str, region: str, key_id: str, document: Mapping[str, Any]) -> KmsKey:
    """The inverse of `key_to_document`. Raises KeyError or ValueError on a document that it did not make."""
    materials = [{**material, "wrapped": b64decode(material["wrapped"])} for material in document["materials"]]
    return KmsKey(
        account=account,
        region=region,
        id=key_id,
        state=KeyState(document["state"]),
        tags=document["tags"],
        materials=tuple(KeyMaterial(**material) for material in materials),
        **{name: document[name] for name in _PLAIN},
    )


def _grant(key_id: str, grant_id: str, document: Mapping[str, Any]) -> Grant:
    return Grant(key_id=key_id, id=grant_id, **{**document, "operations": tuple(document["operations"])})


def _of_alias(alias: KmsAlias) -> ColumnElement[bool]:
    return and_(
        kms_aliases.c.account == alias.account,
        kms_aliases.c.region == alias.region,
        kms_aliases.c.name == alias.name,
    )
