"""Sessions of roles: temporary credentials that outlive a restart without being stored anywhere.

The token of a session that somebody assumed holds the session itself, sealed. Those of execution environments are kept
in memory, since they end with their environment. Called by `sts`, `execution_roles` and `credentials`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from ingle.domain.clock import Clock
from ingle.domain.identity import Role
from ingle.domain.sealing import CannotOpen, Sealer
from ingle.supporting.iam_records import new_id, new_secret

_CONTEXT = "session token"
#: Opened tokens that are remembered.
_REMEMBERED = 4096
_LONGEST_TOKEN = 16_384
_LARGEST_SESSION = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of a role. Times are epoch seconds. `policies` are texts, `policy_arns` of managed policies.

    `limited`: there are session policies, of either kind. `function_arn`: of the function whose session it is.
    `role_path` is the role's as it was when the session began.
    """

    access_key_id: str
    secret: str = field(repr=False)
    account: str
    role: str
    role_id: str
    role_path: str
    name: str
    issued: int
    expires: int
    policies: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    source_identity: str | None = None
    function_arn: str | None = None

    @property
    def limited(self) -> bool:
        return bool(self.policies or self.policy_arns)

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.name}"

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.role_path}{self.role}"

    @property
    def unique_id(self) -> str:
        return f"{self.role_id}:{self.name}"


class Sessions:
    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock
        self._held: dict[str, tuple[Session, str]] = {}
        self._opened: OrderedDict[str, Session] = OrderedDict()

    def begin(self, role: Role, name: str, seconds: int, **members: Any) -> Session:
        """A new session of `role`; `members` are further ones of `Session`."""
        now = int(self._clock.now())
        return Session(
            access_key_id=new_id("ASIA", 16), secret=new_secret(), account=role.account, role=role.name,
            role_id=role.id, role_path=role.path, name=name, issued=now, expires=now + seconds, **members,
        )  # fmt: skip

    def token_of(self, session: Session) -> str:
        """The token with which the session's credentials are used."""
        content = zlib.compress(orjson.dumps(asdict(session)))
        return base64.b64encode(self._sealer.seal(content, _CONTEXT)).decode()

    def hold(self, session: Session) -> str:
        """Keep a session in memory until `release`; its token, which says nothing."""
        token = secrets.token_urlsafe(48)
        self._held[session.access_key_id] = session, token
        return token

    def release(self, access_key_id: str) -> None:
        """End a session that was held. Idempotent."""
        self._held.pop(access_key_id, None)

    def find(self, access_key_id: str, token: str | None) -> Session | None:
        """The session that these belong to; None if there is none. It may have expired."""
        held = self._held.get(access_key_id)
        if held is not None:
            session, expected = held
            return session if token is not None and secrets.compare_digest(token.encode(), expected.encode()) else None
        if token is None or len(token) > _LONGEST_TOKEN:
            return None
        found = self._opened.get(token) or self._open(token)
        return found if found is not None and found.access_key_id == access_key_id else None

    def held(self, access_key_id: str) -> Session | None:
        """The session of an execution environment with this key, without a proof of its token."""
        found = self._held.get(access_key_id)
        return None if found is None else found[0]

    def _open(self, token: str) -> Session | None:
        try:
            sealed = base64.b64decode(token, validate=True)
            opened = zlib.decompressobj().decompress(self._sealer.open(sealed, _CONTEXT), _LARGEST_SESSION)
        except (CannotOpen, binascii.Error, ValueError, zlib.error):
            return None
        members = orjson.loads(opened)
        for name in ("policies", "policy_arns"):
            members[name] = tuple(members[name])
        session = Session(**members)
        self._opened[token] = session
        if len(self._opened) > _REMEMBERED:
            self._opened.popitem(last=False)
        return session
