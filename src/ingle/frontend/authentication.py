"""Who is calling, read from the request's signature.

In mode `none` nothing is verified: the credential scope says region and service, an access key id of 12 digits is the
account. A malformed header is tolerated, as by local emulators. Called by `dispatch`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ingle.domain.caller import DEFAULT_ACCOUNT, DEFAULT_REGION

_CREDENTIAL = re.compile(rb"Credential=([^,\s]+)")
_ACCOUNT = re.compile(r"[0-9]{12}")
#: Regions become part of ARNs and file names, so nothing else is taken for one.
_REGION = re.compile(r"[a-z]{2}[a-z0-9-]{1,40}")
_SCOPE_PARTS = 5
_CACHE_SIZE = 4096
_LONGEST_CACHED = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a signature says. `service` is the scope's service name; None without a readable scope."""

    account: str
    region: str
    access_key_id: str | None = None
    service: str | None = None


class Unverified:
    """Mode `none`: believes every signature, and callers that send none."""

    def __init__(self, *, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> None:
        self._default = Identity(account=account, region=region)
        self._known: dict[bytes, Identity] = {}

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
                if b"Credential=" in start:
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
        return Identity(
            account=access_key_id if _ACCOUNT.fullmatch(access_key_id) else self._default.account,
            region=region if _REGION.fullmatch(region) else self._default.region,
            access_key_id=access_key_id or None,
            service=service or None,
        )
