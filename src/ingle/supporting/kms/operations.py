"""What every handler of KMS is, and what is asked of an operation before it changes a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle
from ingle.domain.kms import KmsKey
from ingle.supporting.kms import names
from ingle.supporting.kms.access import KeyRequest, root_of
from ingle.supporting.kms.errors import DryRunSucceeded, KmsAccessDenied
from ingle.supporting.kms.use import KeyUse

Answer = dict[str, Any]
Handler = Callable[[Caller, dict[str, Any]], Awaitable[Answer]]


def own_key(use: KeyUse, caller: Caller, operation: str, key_id: str) -> KmsKey:
    """The key of the caller's own account that an id or a key ARN names, if the caller may do this with it.

    Raises KeyNotFound, InvalidKeyArn, KmsAccessDenied.
    """
    key = names.find_by_id(use.records, caller, key_id)
    if key.account != caller.account:
        raise KmsAccessDenied(
            f"User: {root_of(caller)} is not authorized to perform: kms:{operation} on resource: {key.arn} because "
            f"the operation is not possible with keys of other accounts"
        )
    use.allow(KeyRequest(caller=caller, action=f"kms:{operation}"), key)
    return key


def any_key(use: KeyUse, caller: Caller, operation: str, key_id: str) -> KmsKey:
    """The same for operations that other accounts' keys allow, too."""
    key = names.find_by_id(use.records, caller, key_id)
    use.allow(KeyRequest(caller=caller, action=f"kms:{operation}"), key)
    return key


def end_dry_run(params: Mapping[str, Any]) -> None:
    """Raise DryRunSucceeded if that is all that was to be found out."""
    if params.get("DryRun"):
        raise DryRunSucceeded


def not_implemented(operation: str, what: str) -> NotImplementedByIngle:
    return NotImplementedByIngle(f"Ingle does not implement {operation} with {what} yet.")
