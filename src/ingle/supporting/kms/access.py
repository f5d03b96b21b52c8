"""Who may do what with a key: the one place where policies come in.

`Authority` is the seam: identity policies, key policies and grants are evaluated behind it, by who may need them. A
server without authentication has `Everybody`: what counts there is the state of keys, and an explicit Deny in a key
policy takes effect with authentication only. The rule about AWS-managed keys holds in every case, since it is not a
policy that anybody can change.

Sources: the KMS developer guide, "AWS managed keys" and "Key policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.kms import Grant, KmsKey
from ingle.supporting.kms.errors import KmsAccessDenied

#: What accounts may do with keys that are managed for them, besides using them through the service.
_OF_MANAGED = ("kms:Describe", "kms:Get", "kms:List", "kms:RevokeGrant")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """Something that is asked of KMS. `key` is None where the action is about no particular key; it brings its policy.

    `context` is the encryption context. `via` is set where a service acts for the caller: "lambda". `function` is the
    ARN of the function whose execution needs the key, `role` its execution role; both only then.
    """

    caller: Caller
    action: str
    key: KmsKey | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    via: str | None = None
    function: str | None = None
    role: str | None = None


class Authority(Protocol):
    def refusal(self, request: KeyRequest) -> str | None:
        """Why the request is refused, in the words of the answer; None: it is allowed. Memory only, and fast."""
        ...


class Everybody:
    """Without authentication everybody may do everything."""

    def refusal(self, request: KeyRequest) -> str | None:
        return None


def require(authority: Authority, request: KeyRequest) -> None:
    """Raise KmsAccessDenied for what the rule about managed keys or the authority refuses."""
    key = request.key
    if key is not None and key.managed and request.via is None and not request.action.startswith(_OF_MANAGED):
        raise KmsAccessDenied(
            f"User: {root_of(request.caller)} is not authorized to perform: {request.action} on resource: {key.arn} "
            f"because no resource-based policy allows the {request.action} action"
        )
    refusal = authority.refusal(request)
    if refusal is not None:
        raise KmsAccessDenied(refusal)


def root_of(caller: Caller) -> str:
    """The caller as errors name it where only its account is known."""
    return f"arn:{partition_of(caller.region)}:iam::{caller.account}:root"
