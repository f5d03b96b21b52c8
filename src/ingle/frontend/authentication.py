"""Who is calling, read from the request's signature.

In mode `none` nothing is verified: the credential scope says region and service, an access key id of 12 digits is the
account, one that Ingle issued means whom it was issued to. A malformed header is tolerated, as by local emulators.
Mode `iam` is in `verification`. Called by `dispatch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl

from ingle.domain.access.principals import Principal
from ingle.domain.caller import DEFAULT_ACCOUNT, DEFAULT_REGION
from ingle.domain.errors import ServiceError
from ingle.frontend.signatures import Signed
from ingle.supporting.credentials import Credential
from ingle.wire import HttpRequest

_CREDENTIAL = re.compile(rb"Credential=([^,\s]+)")
_ACCOUNT = re.compile(r"[0-9]{12}")
#: Regions become part of ARNs and file names, so nothing else is taken for one.
_REGION = re.compile(r"[a-z]{2}[a-z0-9-]{1,40}")
_SCOPE_PARTS = 5
_CACHE_SIZE = 4096
_LONGEST_CACHED = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a signature says. `service` is the scope's service name; None without a readable scope.

    `credential`: what belongs to the access key id, where Ingle issued it. In mode `iam`: `signed` is the signature,
    `problem` says why there is none.
    """

    account: str
    region: str
    access_key_id: str | None = None
    service: str | None = None
    known_as: Principal | None = None
    credential: Credential | None = None
    signed: Signed | None = None
    problem: ServiceError | None = None

    @property
    def issued(self) -> bool:
        """Whether Ingle issued the key: what it means may change."""
        return self.known_as is not None


class Authentication(Protocol):
    """How requests are believed. A request is identified, admitted once its operation is known, then verified."""

    def identify(self, headers: Mapping[bytes, bytes], query: str) -> Identity:
        """What the request says of itself. Raises nothing."""
        ...

    def admit(self, identity: Identity, service: str) -> None:
        """Raise AuthenticationError for what no body can save. `service`: what has to be signed for."""
        ...

    async def verify(self, identity: Identity, request: HttpRequest) -> None:
        """Raise AuthenticationError unless the request, which is complete, is the caller's."""
        ...

    def verify_head(self, identity: Identity, request: HttpRequest, content: str) -> None:
        """As `verify`, before the body is there. `content`: what the request signs for in place of its digest."""
        ...


#: Whom Ingle issued an access key id to; None for keys that it did not issue.
Owner = Callable[[str], Principal | None]


def _nobody(access_key_id: str) -> Principal | None:
    return None


class Unverified:
    """Mode `none`: believes every signature, and callers that send none."""

    def __init__(self, *, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION, owner: Owner = _nobody) -> None:
        self._default = Identity(account=account, region=region)
        self._known: dict[bytes, Identity] = {}
        self._owner = owner

    def admit(self, identity: Identity, service: str) -> None:
        """Everybody."""

    async def verify(self, identity: Identity, request: HttpRequest) -> None:
        """Nothing is checked."""

    def verify_head(self, identity: Identity, request: HttpRequest, content: str) -> None:
        """Nothing is checked."""

    def identify(self, headers: Mapping[bytes, bytes], query: str) -> Identity:
        """The identity in the Authorization header, else in the X-Amz-Credential parameter, else the default."""
        authorization = headers.get(b"authorization")
        if authorization is None:
            return self._from_query(query) if "X-Amz-Credential=" in query else self._default
        # Everything up to the first comma stays the same all day; the signature behind it never does.
        start = authorization[: authorization.find(b",")]
        known = self._known.get(start)
        if known is None:
            known = self._from_header(authorization)
            if len(start) <= _LONGEST_CACHED:
                if len(self._known) >= _CACHE_SIZE:
                    self._known.clear()
                if b"Credential=" in start and not known.issued:
                    self._known[start] = known
        return known

    def _from_header(self, authorization: bytes) -> Identity:
        matched = _CREDENTIAL.search(authorization)
        return self._from_scope(matched.group(1).decode("latin-1")) if matched else self._default

    def _from_query(self, query: str) -> Identity:
        pairs = dict(parse_qsl(query, errors="replace"))
        return self._from_scope(pairs.get("X-Amz-Credential", ""))

    def _from_scope(self, credential: str) -> Identity:
        # An access key id could hold slashes, the scope's four parts cannot: count from the back.
        parts = credential.rsplit("/", _SCOPE_PARTS - 1)
        if len(parts) != _SCOPE_PARTS:
            return self._default
        access_key_id, _, region, service, _ = parts
        owner = self._owner(access_key_id)
        account = access_key_id if _ACCOUNT.fullmatch(access_key_id) else self._default.account
        return Identity(
            account=account if owner is None else owner.account,
            known_as=owner,
            region=region if _REGION.fullmatch(region) else self._default.region,
            access_key_id=access_key_id or None,
            service=service or None,
        )
