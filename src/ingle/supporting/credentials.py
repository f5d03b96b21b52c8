"""From an access key id and a session token to who that is, what may be done with it, and the secret it signs with.

Everything is remembered until something in IAM changes, since every verified request asks. Called by the frontend.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

from ingle.catalog.identities import Identities, compiled
from ingle.domain.access.authority import Authority
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
    """`expires` is epoch seconds; None: never."""

    access_key_id: str
    secret: str = field(repr=False)
    authority: Authority
    active: bool = True
    expires: int | None = None
    session: Session | None = None

    @property
    def principal(self) -> Principal:
        return self.authority.principal


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
            authority = Authority(principal=root_of(key.account), policies=Policies(unlimited=True))
            return Credential(access_key_id=key.id, secret=secret, active=key.active, authority=authority)
        user = self._identities.get(User, key.account, key.user)
        if user is None:
            return None
        authority = Authority(
            principal=_principal_of_user(user), policies=self._identities.policies_of_user(user), tags=user.tags
        )
        return Credential(access_key_id=key.id, secret=secret, active=key.active, authority=authority)

    def owner(self, access_key_id: str) -> Principal | None:
        """Whom an access key was issued to, without a proof of anything; None for keys that are not ours.

        A session that somebody assumed is known by its token alone, so its key says nothing.
        """
        key = self._identities.key(access_key_id)
        if key is None:
            session = self._sessions.held(access_key_id)
            return None if session is None else principal_of(session)
        if key.user is None:
            return root_of(key.account)
        user = self._identities.get(User, key.account, key.user)
        return None if user is None else _principal_of_user(user)

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
            documents = [compiled(text, name="session policy") for text in session.policies]
            managed = [self._identities.managed(arn) for arn in session.policy_arns]
            documents += [compiled(policy.text, name=policy.arn) for policy in managed if policy is not None]
            policies = replace(policies, session=tuple(documents))
        authority = Authority(
            principal=principal_of(session), policies=policies, tags={**role.tags, **session.tags},
            issued=session.issued, source_identity=session.source_identity, function_arn=session.function_arn,
        )  # fmt: skip
        return Credential(
            access_key_id=session.access_key_id, secret=session.secret, expires=session.expires, session=session,
            authority=authority,
        )  # fmt: skip


def _principal_of_user(user: User) -> Principal:
    return Principal(kind=Kind.USER, arn=user.arn, account=user.account, unique_id=user.id, name=user.name)


def principal_of(session: Session) -> Principal:
    return Principal(
        kind=Kind.ASSUMED_ROLE, arn=session.arn, account=session.account, role_arn=session.role_arn,
        unique_id=session.unique_id, name=session.role,
    )  # fmt: skip
