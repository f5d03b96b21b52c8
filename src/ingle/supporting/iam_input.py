"""What IAM checks of members besides the service model's constraints: policies, tags, and whose account it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ingle.catalog.identities import Identities
from ingle.domain.access.document import Document, MalformedPolicy, Use
from ingle.supporting.iam_errors import InvalidInput, LimitExceeded, MalformedPolicyDocument, NoSuchEntity

MOST_TAGS = 50


def checked_policy(text: str, use: Use = Use.IDENTITY) -> str:
    """The text, if it is a policy. Raises MalformedPolicyDocument."""
    try:
        Document.parse(text, use)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(str(error)) from None
    return text


def size_of(text: str) -> int:
    """Characters of a policy as quotas count them: without white space."""
    return len("".join(text.split()))


def with_tags(present: Mapping[str, str], given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Raises InvalidInput for a key that is given twice, LimitExceeded for too many."""
    pairs = [(tag["Key"], tag["Value"]) for tag in given]
    if len({key.lower() for key, _ in pairs}) < len(pairs):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith("aws:") for key, _ in pairs):
        raise InvalidInput("Tag keys that begin with aws: are reserved.")
    merged = {key: value for key, value in present.items() if key.lower() not in {name.lower() for name, _ in pairs}}
    merged.update(pairs)
    if len(merged) > MOST_TAGS:
        raise LimitExceeded(f"The number of tags has reached the maximum limit of {MOST_TAGS}.")
    return merged


def without_tags(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    gone = {key.lower() for key in keys}
    return {key: value for key, value in present.items() if key.lower() not in gone}


def boundary_of(identities: Identities, params: Mapping[str, Any], account: str) -> str | None:
    """The managed policy that a request names as boundary. Raises NoSuchEntity."""
    arn: str | None = params.get("PermissionsBoundary")
    if arn is not None:
        require_attachable(identities, arn, account)
    return arn


def require_attachable(identities: Identities, arn: str, account: str) -> None:
    """Raise NoSuchEntity, or InvalidInput for what is no ARN of a policy."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("policy/"):
        raise InvalidInput(f"ARN {arn} is not valid.")
    if parts[4] not in ("aws", account) or identities.managed(arn) is None:
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
