"""Mode `iam`: who is calling, proved by Signature Version 4.

`identify` reads what a request claims, `admit` refuses what no body can save, `verify` checks the signature once the
body is there. Nothing here tells an unknown key from a wrong one by the work it does. Called by `dispatch`.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from ingle.domain.caller import DEFAULT_ACCOUNT, DEFAULT_REGION
from ingle.domain.clock import Clock
from ingle.domain.errors import ServiceError
from ingle.frontend.authentication import Identity
from ingle.frontend.authentication_errors import (
    InvalidSignature,
    expired_token,
    missing_token,
    unrecognized,
    wrong_signature,
)
from ingle.frontend.signatures import Signed, expected_signature, is_moment, signature_in
from ingle.supporting.credentials import Credential, Credentials
from ingle.wire import HttpRequest

#: How far the caller's clock may be from ours, in seconds.
SKEW = 300
_REGION = re.compile(r"[a-z]{2}[a-z0-9-]{1,40}")
#: Bodies above this many bytes are hashed in a thread.
_INLINE_BODY = 256 * 1024
_EMPTY = sha256(b"").hexdigest()


class Verified:
    """`clock` says what time it is for callers' clocks to be compared with."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        #: What signatures of unknown keys are compared with.
        self._nobody = secrets.token_hex(20)
        self._moments: dict[str, float] = {}

    def identify(self, headers: Mapping[bytes, bytes], query: str) -> Identity:
        """What the request says of itself; nothing of it is proved. A signature that cannot be read is kept as such."""
        try:
            signed = signature_in(headers, query)
        except ServiceError as error:
            return Identity(account=DEFAULT_ACCOUNT, region=DEFAULT_REGION, problem=error)
        if signed is None:
            return Identity(account=DEFAULT_ACCOUNT, region=DEFAULT_REGION)
        claim = signed.claim
        credential = self._credentials.find(claim.access_key_id, signed.token)
        region = claim.scope.region
        return Identity(
            account=DEFAULT_ACCOUNT if credential is None else credential.principal.account,
            region=region if _REGION.fullmatch(region) else DEFAULT_REGION,
            access_key_id=claim.access_key_id, service=claim.scope.service, signed=signed, credential=credential,
        )  # fmt: skip

    def admit(self, identity: Identity, service: str) -> None:
        """Raise AuthenticationError for what can be seen without the body. `service`: what has to be signed for."""
        if identity.problem is not None:
            raise identity.problem
        signed = identity.signed
        if signed is None:
            raise missing_token()
        scope = signed.claim.scope
        if scope.service != service:
            raise InvalidSignature(f"Credential should be scoped to correct service: '{service}'.")
        if not _REGION.fullmatch(scope.region):
            raise InvalidSignature("Credential should be scoped to a valid region.")
        self._check_time(signed)

    async def verify(self, identity: Identity, request: HttpRequest) -> None:
        """Raise AuthenticationError unless the signature is that of a key which may be used now."""
        body = request.body
        if not body:
            digest = _EMPTY
        elif len(body) > _INLINE_BODY:
            digest = await asyncio.to_thread(_digest, body)
        else:
            digest = _digest(body)
        declared = request.headers.get(b"x-amz-content-sha256")
        self.verify_head(identity, request, digest)
        if declared is not None and not hmac.compare_digest(declared, digest.encode()):
            raise wrong_signature()

    def verify_head(self, identity: Identity, request: HttpRequest, content: str) -> None:
        """As `verify`, of a request that signs for `content` as what its body is: that is its reader's to check."""
        signed, credential = identity.signed, identity.credential
        if signed is None:
            raise missing_token()
        secret = self._nobody if credential is None else credential.secret
        right = hmac.compare_digest(expected_signature(request, signed, secret, content), signed.signature)
        if credential is None or not credential.active:
            raise unrecognized()
        if not right:
            raise wrong_signature()
        _require_unexpired(credential, self._clock.now())

    def _check_time(self, signed: Signed) -> None:
        moment, date = signed.moment, signed.claim.scope.date
        if not is_moment(moment):
            raise InvalidSignature(f"Date must be in ISO-8601 'basic format'. Got '{moment[:32]}'.")
        if moment[:8] != date:
            raise InvalidSignature(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{date[:32]}' != '{moment[:8]}', from '{moment}'."
            )
        then, now = self._seconds(moment), self._clock.now()
        until = then + (SKEW if signed.lifetime is None else signed.lifetime)
        if now > until:
            allowed = f"{SKEW // 60} min." if signed.lifetime is None else f"{signed.lifetime} s"
            raise InvalidSignature(
                f"Signature expired: {moment} is now earlier than {_basic(now - (until - then))} "
                f"({_basic(now)} - {allowed})"
            )
        if then > now + SKEW:
            raise InvalidSignature(
                f"Signature not yet current: {moment} is still later than {_basic(now + SKEW)} "
                f"({_basic(now)} + {SKEW // 60} min.)"
            )

    def _seconds(self, moment: str) -> float:
        """A moment as epoch seconds. Requests of one second share theirs."""
        found = self._moments.get(moment)
        if found is None:
            try:
                found = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            except ValueError:
                raise InvalidSignature(f"Date must be in ISO-8601 'basic format'. Got '{moment}'.") from None
            if len(self._moments) > 64:
                self._moments.clear()
            self._moments[moment] = found
        return found


def _require_unexpired(credential: Credential, now: float) -> None:
    if credential.expires is not None and now >= credential.expires:
        raise expired_token()


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def _basic(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%SZ}"
