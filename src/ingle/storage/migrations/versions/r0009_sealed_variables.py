"""Environment variables encrypted: what older releases stored readable gets the managed key of its account and region.

What an older release leaves in free pages, in the write-ahead log and in copies is `storage.scrubbing`'s to remove.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64decode, b64encode
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from ingle.domain.clock import SystemClock
from ingle.encryption import ciphertext, materials
from ingle.encryption.envelope import new_data_key, seal_variables
from ingle.encryption.master import Keyring
from ingle.storage.errors import SchemaError

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_YEAR_SECONDS = 365 * 86_400
_MANAGED = "alias/aws/lambda"
_DESCRIPTION = "Default key that protects my Lambda functions when no other key is defined"

_versions = sa.table(
    "versions",
    *(sa.column(name) for name in ("account", "region", "name", "version", "role")),
    sa.column("document", sa.JSON()),
)
_keys = sa.table(
    "kms_keys", *(sa.column(name) for name in ("id", "account", "region")), sa.column("document", sa.JSON())
)
_aliases = sa.table(
    "kms_aliases",
    *(sa.column(name) for name in ("account", "region", "name", "key_id")),
    sa.column("document", sa.JSON()),
)

#: (key id, material id, secret) by account and region.
_Managed = dict[tuple[str, str], tuple[str, str, bytes]]


def upgrade() -> None:
    connection = op.get_bind()
    managed: _Managed = {}
    for row in connection.execute(sa.select(_versions)).fetchall():
        variables = row.document["configuration"].get("environment")
        if variables is None:
            continue
        place = (row.account, row.region)
        if place not in managed:
            managed[place] = _key_of(connection, *place)
        arn = f"arn:{_partition(row.region)}:lambda:{row.region}:{row.account}:function:{row.name}"
        row.document["configuration"]["environment"] = _sealed(managed[place], variables, arn)
        update = sa.update(_versions).values(document=row.document)
        for column in ("account", "region", "name", "version", "role"):
            update = update.where(_versions.c[column] == getattr(row, column))
        connection.execute(update)


def _sealed(key: tuple[str, str, bytes], variables: dict[str, str], arn: str) -> dict[str, str]:
    key_id, material_id, secret = key
    bound = {"aws:lambda:FunctionArn": arn}
    data_key = new_data_key()
    blob = ciphertext.encrypt(key_id, material_id, secret, data_key, bound)
    sealed = seal_variables(data_key, variables, bound)
    return {"data_key": b64encode(blob).decode(), "ciphertext": b64encode(sealed).decode()}


def _key_of(connection: sa.Connection, account: str, region: str) -> tuple[str, str, bytes]:
    """The managed key of an account in a region, made if there is none yet."""
    ring: Keyring | None = context.config.attributes["ring"]
    if ring is None:
        raise SchemaError("The database holds environment variables in clear; encrypting them takes a master key.")
    named = sa.select(_aliases.c.key_id).where(
        _aliases.c.account == account, _aliases.c.region == region, _aliases.c.name == _MANAGED
    )
    key_id = connection.execute(named).scalar()
    if key_id is None:
        key_id = str(uuid.uuid4())
        _insert(connection, account, region, key_id, ring)
    document = connection.execute(sa.select(_keys.c.document).where(_keys.c.id == key_id)).scalar_one()
    material = document["materials"][-1]
    wrapped = b64decode(material["wrapped"])
    return key_id, material["id"], materials.unwrap(ring, key_id, material["id"], wrapped)


def _insert(connection: sa.Connection, account: str, region: str, key_id: str, ring: Keyring) -> None:
    now = SystemClock().now()
    made = materials.generate(ring, key_id)
    material: dict[str, Any] = {
        "id": made.id, "wrapped": b64encode(made.wrapped).decode(), "created": now, "rotation": None,
    }  # fmt: skip
    document = {
        "created": now, "policy": _policy(account, region), "description": _DESCRIPTION, "deletion": None,
        "managed": True, "rotation_days": 365, "next_rotation": now + _YEAR_SECONDS, "state": "Enabled", "tags": {},
        "materials": [material],
    }  # fmt: skip
    connection.execute(sa.insert(_keys).values(id=key_id, account=account, region=region, document=document))
    alias = {"account": account, "region": region, "name": _MANAGED, "key_id": key_id}
    connection.execute(sa.insert(_aliases).values(**alias, document={"created": now, "updated": now}))


def _policy(account: str, region: str) -> str:
    title = "AWS Lambda"
    through = {
        "Sid": f"Allow access through {title} for all principals in the account that are authorized to use {title}",
        "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                   "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:CallerAccount": account,
                                       "kms:ViaService": f"lambda.{region}.amazonaws.com"}},
    }  # fmt: skip
    metadata = {
        "Sid": "Allow direct access to key metadata to the account", "Effect": "Allow",
        "Principal": {"AWS": f"arn:{_partition(region)}:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"], "Resource": "*",
    }  # fmt: skip
    document = {"Version": "2012-10-17", "Id": "auto-awslambda", "Statement": [through, metadata]}
    return json.dumps(document, indent=2, separators=(",", " : "))


def _partition(region: str) -> str:
    special = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-isob-": "aws-iso-b", "us-isof-": "aws-iso-f",
               "eu-isoe-": "aws-iso-e", "us-iso-": "aws-iso", "eusc-": "aws-eusc"}  # fmt: skip
    return next((partition for prefix, partition in special.items() if region.startswith(prefix)), "aws")
