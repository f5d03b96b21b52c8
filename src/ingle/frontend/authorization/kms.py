"""Who may do what with a KMS key, with authentication on: its key policy, identity policies and grants.

A key policy governs: without it nothing is allowed, within the account either, unless it leaves the decision to the
account. A grant allows besides what it names; an explicit deny wins over both. Implements
`supporting.kms.access.Authority`.

Sources: the KMS developer guide, "Key policies", "Grants" and "Condition keys for AWS KMS".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ingle.catalog.identities import Identities
from ingle.domain.access.authority import Authority
from ingle.domain.access.document import CURRENT_VERSION, Document
from ingle.domain.access.evaluation import Context, Decision, Request, decide
from ingle.domain.access.principals import Kind, Principal
from ingle.domain.clock import Clock
from ingle.domain.identity import Role, session_name
from ingle.domain.kms import Grant
from ingle.frontend.authorization.context import values_of
from ingle.frontend.authorization.needs import Need, Values
from ingle.supporting.kms.access import KeyRequest

_REMEMBERED = 1024


class KeyAuthority:
    """`enforced`: execution roles have to exist, and what they may not do is not done for them."""

    def __init__(self, identities: Identities, clock: Clock, *, enforced: bool) -> None:
        self._identities = identities
        self._clock = clock
        self._enforced = enforced

    def refusal(self, request: KeyRequest) -> str | None:
        if request.role is not None and not self._enforced:
            return None
        authority = request.caller.authority if request.role is None else self._of_role(request)
        if authority is None:
            return None if request.role is None else _text(request.role, request, "because the role does not exist")
        decision = self._decide(request, authority)
        allowed = decision.allowed or (not decision.explicit and _granted(request, authority.principal))
        return None if allowed else _text(authority.principal.arn, request, decision.reason(request.action))

    def _of_role(self, request: KeyRequest) -> Authority | None:
        """A session of the execution role, as the function's environments have one."""
        role = self._identities.role(request.role or "")
        if role is None:
            return None
        function = request.function or ""
        principal = _session(role, session_name(function.rpartition(":")[2] or "lambda"))
        policies = self._identities.policies_of_role(role)
        return Authority(principal=principal, policies=policies, tags=role.tags, function_arn=function or None)

    def _decide(self, request: KeyRequest, authority: Authority) -> Decision:
        key = request.key
        need = Need(
            action=request.action,
            resource="*" if key is None else key.arn,
            account=request.caller.account if key is None else key.account,
            policy=None if key is None else _compiled(key.policy),
            governs=key is not None,
            values=lambda: _values(request, authority.principal),
        )
        context = Context(lambda: values_of(request.caller, authority, need, self._clock.now()))
        asked = Request(
            principal=authority.principal, action=need.action, resource=need.resource, account=need.account,
            context=context,
        )  # fmt: skip
        return decide(asked, authority.policies, need.policy, governs=need.governs)


def _session(role: Role, name: str) -> Principal:
    return Principal(
        kind=Kind.ASSUMED_ROLE, arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}",
        account=role.account, role_arn=role.arn, unique_id=f"{role.id}:{name}", name=role.name,
    )  # fmt: skip


def _values(request: KeyRequest, principal: Principal) -> Values:
    values: dict[str, str | tuple[str, ...]] = {"kms:CallerAccount": principal.account}
    if request.via is not None:
        values["kms:ViaService"] = f"{request.via}.{request.caller.region}.amazonaws.com"
    values.update({f"kms:EncryptionContext:{name}": value for name, value in request.context.items()})
    if request.context:
        values["kms:EncryptionContextKeys"] = tuple(request.context)
    if request.key is not None:
        values.update({f"aws:ResourceTag/{name}": value for name, value in request.key.tags.items()})
    return values


def _granted(request: KeyRequest, principal: Principal) -> bool:
    operation = request.action.removeprefix("kms:")
    return any(
        operation in grant.operations and grant.grantee in principal.names and _constrained(grant, request.context)
        for grant in request.grants.values()
    )


def _constrained(grant: Grant, context: Mapping[str, str]) -> bool:
    """Whether the encryption context is one that the grant is for."""
    equals: Any = grant.constraints.get("EncryptionContextEquals")
    subset: Any = grant.constraints.get("EncryptionContextSubset") or {}
    return (not equals or dict(equals) == dict(context)) and all(
        context.get(name) == value for name, value in subset.items()
    )


@lru_cache(maxsize=_REMEMBERED)
def _compiled(text: str) -> Document:
    """A key policy. Statements without actions or resources have no effect, as KMS documents it."""
    document = json.loads(text)
    found = document["Statement"]
    statements = [found] if isinstance(found, dict) else found
    return Document.of(
        (
            statement
            for statement in statements
            if {"Action", "NotAction"} & statement.keys() and {"Resource", "NotResource"} & statement.keys()
        ),
        document.get("Version", CURRENT_VERSION),
    )


def _text(who: str, request: KeyRequest, reason: str) -> str:
    resource = "*" if request.key is None else request.key.arn
    return f"User: {who} is not authorized to perform: {request.action} on resource: {resource} {reason}"
