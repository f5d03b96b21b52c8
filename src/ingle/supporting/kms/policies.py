"""Key policies: the texts that keys have to begin with, and what may be put in their place.

What a policy means is behind `access.Authority`; here it is a document that is kept as it was given.
Sources: the KMS developer guide, "Default key policy" and "Elements in a key policy"; AWS's own policy of `aws/lambda`.
"""

from __future__ import annotations

import json
from typing import Any

from ingle.catalog.principal_names import PrincipalNames, UnknownPrincipal
from ingle.domain.access.document import CURRENT_VERSION, MEMBERS, VERSIONS
from ingle.domain.arn import partition_of
from ingle.supporting.kms.errors import KmsLimitExceeded, MalformedPolicy

#: The only name that a key policy has.
POLICY_NAME = "default"
#: Bytes of a policy.
MAX_POLICY = 32_768
MANAGED_DESCRIPTION = "Default key that protects my Lambda functions when no other key is defined"


def default_policy(account: str, region: str) -> str:
    """What a key has whose creator gave none: the account's identity policies decide."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition_of(region)}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return _written({"Version": CURRENT_VERSION, "Id": "key-default-1", "Statement": [statement]})


def managed_policy(account: str, region: str, service: str) -> str:
    """What a key has that a service manages: it is used through the service, and looked at by the account."""
    title = f"AWS {service.capitalize()}"
    through = {
        "Sid": f"Allow access through {title} for all principals in the account that are authorized to use {title}",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                   "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}
        },
    }  # fmt: skip
    metadata = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition_of(region)}:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    return _written({"Version": CURRENT_VERSION, "Id": f"auto-aws{service}", "Statement": [through, metadata]})


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, separators=(",", " : "))


def validate(text: str) -> str:
    """`text`, if it is a policy. Raises MalformedPolicy, KmsLimitExceeded."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_POLICY:
        raise KmsLimitExceeded(f"The key policy is longer than {MAX_POLICY} bytes.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedPolicy("The policy is not valid JSON.") from None
    if not isinstance(document, dict) or not set(document) <= {"Version", "Id", "Statement"}:
        raise MalformedPolicy("The policy has members besides Version, Id and Statement.")
    if document.get("Version", CURRENT_VERSION) not in VERSIONS or not isinstance(document.get("Id", ""), str):
        raise MalformedPolicy("The policy has an invalid Version or Id.")
    statements = document.get("Statement")
    found = [statements] if isinstance(statements, dict) else statements
    if not isinstance(found, list) or not found:
        raise MalformedPolicy("The policy has no statements.")
    for statement in found:
        _validate_statement(statement)
    return text


def bound(text: str, names: PrincipalNames) -> str:
    """The policy as it is kept. Raises MalformedPolicy for a user or role that there is not."""
    try:
        return names.bound_text(text)
    except UnknownPrincipal:
        raise MalformedPolicy("Policy contains a statement with one or more invalid principals.") from None


def _validate_statement(statement: Any) -> None:
    """A statement without Action or Resource is legal, and has no effect."""
    if not isinstance(statement, dict) or not set(statement) <= MEMBERS:
        raise MalformedPolicy("A statement has members that the policy language does not know.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy("The Effect of a statement is neither Allow nor Deny.")
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        raise MalformedPolicy("A statement of a key policy names its principals, in one way.")
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    named = list(principal.values()) if isinstance(principal, dict) else [] if principal != "*" else ["*"]
    if not named or not all(_texts(item) for item in named):
        raise MalformedPolicy("A statement has an invalid principal.")
    for member in ("Action", "NotAction", "Resource", "NotResource"):
        if member in statement and not _texts(statement[member]):
            raise MalformedPolicy(f"A statement has an invalid {member}.")
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict) or not all(isinstance(keys, dict) for keys in conditions.values()):
        raise MalformedPolicy("A statement has an invalid condition.")


def _texts(value: Any) -> bool:
    """Whether it is one text or several."""
    items = value if isinstance(value, list) else [value]
    return bool(items) and all(isinstance(item, str) and item for item in items)
