"""From an access key id and a session token to who that is, what may be done with it, and the secret it signs with.

Everything is remembered until something in IAM changes, since every verified request asks. Called by the frontend.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ingle.catalog.identities import Identities, compiled
from ingle.domain.access.evaluation import Policies
from ingle.domain.access.principals import Kind, Principal
from ingle.domain.caller import root_of
from ingle.domain.identity import AccessKey, Role, User
from ingle.domain.sealing import CannotOpen, Sealer
from ingle.observability.log import Logger
from ingle.supporting.iam_records import context_of
from ingle.supporting.sessions import Session, Sessions

_REMEMBERED = 16_384
_log = Logger("access")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Credential:
    """`expires` is epoch seconds; None: never. `tags` are those of the principal, its session's included.

    Compared by identity: one object stands for one key until something in IAM changes.
    """

    access_key_id: str
    secret: str = field(repr=False)
    principal: Principal
    policies: Policies
    active: bool = True
    expires: int | None = None
    session: Session | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Credentials:
    def __init__(self, identities: Identities, sessions: Sessions, sealer: Sealer) -> None:
        self._identities = identities
        self._sessions = sessions
        self._sealer = sealer
        self._known: dict[tuple[str, str | None], Credential] = {}
        self._secrets: dict[str, str] = {}
        identities.subscribe(self._known.clear)

    def find(self, access_key_id: str, token: str | None) -> Credential | None:
        """None for keys that are unknown, or do not go with the token, or whose user or role is gone."""
        place = access_key_id, token
        found = self._known.get(place)
        if found is not None and (found.session is None or self._still_held(found.session)):
            return found
        made = self._make(access_key_id, token)
        if made is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[place] = made
        return made

    def _still_held(self, session: Session) -> bool:
        return session.function_arn is None or self._sessions.held(session.access_key_id) is session

    def _make(self, access_key_id: str, token: str | None) -> Credential | None:
        key = self._identities.key(access_key_id)
        if key is not None:
            return None if token else self._of_key(key)
        session = self._sessions.find(access_key_id, token)
        return None if session is None else self._of_session(session)

    def _of_key(self, key: AccessKey) -> Credential | None:
        secret = self._secret(key)
        if secret is None:
            return None
        if key.user is None:
            return Credential(
                access_key_id=key.id, secret=secret, active=key.active, principal=root_of(key.account),
                policies=Policies(unlimited=True),
            )  # fmt: skip
        user = self._identities.get(User, key.account, key.user)
        if user is None:
            return None
        principal = Principal(kind=Kind.USER, arn=user.arn, account=user.account, unique_id=user.id, name=user.name)
        return Credential(
            access_key_id=key.id, secret=secret, active=key.active, principal=principal,
            policies=self._identities.policies_of_user(user), tags=user.tags,
        )  # fmt: skip

    def _secret(self, key: AccessKey) -> str | None:
        if key.sealed not in self._secrets:
            try:
                opened = self._sealer.open(base64.b64decode(key.sealed), context_of(key.id))
            except CannotOpen:
                _log.error("the secret of an access key cannot be opened: another key file?", access_key_id=key.id)
                return None
            self._secrets[key.sealed] = opened.decode()
        return self._secrets[key.sealed]

    def _of_session(self, session: Session) -> Credential | None:
        role = self._identities.get(Role, session.account, session.role)
        if role is None or role.id != session.role_id:
            return None
        policies = self._identities.policies_of_role(role)
        if session.limited:
            documents = [compiled(text) for text in session.policies]
            managed = [self._identities.managed(arn) for arn in session.policy_arns]
            documents += [compiled(policy.text) for policy in managed if policy is not None]
            policies = replace(policies, session=tuple(documents))
        return Credential(
            access_key_id=session.access_key_id, secret=session.secret, expires=session.expires, session=session,
            principal=principal_of(session), policies=policies, tags={**role.tags, **session.tags},
        )  # fmt: skip


def principal_of(session: Session) -> Principal:
    return Principal(
        kind=Kind.ASSUMED_ROLE, arn=session.arn, account=session.account, role_arn=session.role_arn,
        unique_id=session.unique_id, name=session.role,
    )  # fmt: skip
