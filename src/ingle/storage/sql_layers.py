"""Layers in SQL: the work of `sql.SqlStore` on their tables, inside a transaction of its."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, select
from sqlalchemy.sql.elements import ColumnElement

from ingle.domain.layer import Grant, Layer, LayerKey, LayerVersion
from ingle.storage.documents import Document, package_from_document, package_to_document
from ingle.storage.schema import layer_versions, layers


def load_layers(connection: Connection) -> list[Layer]:
    found: defaultdict[LayerKey, dict[int, LayerVersion]] = defaultdict(dict)
    by_number = select(layer_versions).order_by(layer_versions.c.version)
    for row in connection.execute(by_number):
        key = _key_of(row)
        found[key][row.version] = from_document(key, row.version, row.document)
    order = (layers.c.account, layers.c.region, layers.c.name)
    return [
        Layer(key=key, versions=found[key], next_version=row.next_version)
        for row in connection.execute(select(layers).order_by(*order))
        for key in (_key_of(row),)
    ]


def save_layer(connection: Connection, layer: Layer, number: int) -> None:
    columns = {"account": layer.key.account, "region": layer.key.region, "name": layer.key.name}
    connection.execute(delete(layers).where(_of(layers, layer.key)))
    connection.execute(layers.insert().values(**columns, next_version=layer.next_version))
    connection.execute(delete(layer_versions).where(_of(layer_versions, layer.key), layer_versions.c.version == number))
    version = layer.versions.get(number)
    if version is not None:
        row = {**columns, "version": number, "document": to_document(version)}
        connection.execute(layer_versions.insert().values(**row))


def to_document(version: LayerVersion) -> Document:
    """Everything of a layer version except its key and number."""
    return {
        "package": package_to_document(version.package),
        "created": version.created,
        "description": version.description,
        "runtimes": None if version.runtimes is None else list(version.runtimes),
        "architectures": None if version.architectures is None else list(version.architectures),
        "license": version.license,
        "policy_revision": version.policy_revision,
        "grants": [
            {"sid": grant.sid, "principal": grant.principal, "organization": grant.organization}
            for grant in version.grants
        ],
    }


def from_document(key: LayerKey, number: int, document: Mapping[str, Any]) -> LayerVersion:
    """The inverse of `to_document`. Raises KeyError on a document that it did not make."""
    return LayerVersion(
        key=key,
        number=number,
        package=package_from_document(document["package"]),
        created=document["created"],
        description=document["description"],
        runtimes=None if document["runtimes"] is None else tuple(document["runtimes"]),
        architectures=None if document["architectures"] is None else tuple(document["architectures"]),
        license=document["license"],
        policy_revision=document["policy_revision"],
        grants=tuple(Grant(**grant) for grant in document["grants"]),
    )


def _key_of(row: Row[Any]) -> LayerKey:
    return LayerKey(account=row.account, region=row.region, name=row.name)


def _of(table: Table, key: LayerKey) -> ColumnElement[bool]:
    return and_(table.c.account == key.account, table.c.region == key.region, table.c.name == key.name)
