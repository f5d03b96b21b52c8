"""Signature Version 4, with botocore's own signer as the oracle, and every way in which a signature can be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.catalog.identities import Identities
from ingle.domain.errors import ServiceError
from ingle.domain.identity import AccessKey, Role, User
from ingle.encryption.master import Keyring, MasterKey, MasterKeys
from ingle.frontend.verification import Verified
from ingle.storage.sealing import FileSealer
from ingle.supporting.credentials import Credentials
from ingle.supporting.iam_records import IamRecords
from ingle.supporting.sessions import Sessions
from ingle.testing.memory_store import MemoryStore
from ingle.wire import HttpRequest

ACCOUNT = "111111111111"


class World:
    """A user with a key, a role, and a verifier. It is when the last request was signed, moved by `moved` seconds."""

    def __init__(self, tmp_path: Any) -> None:
        self.signed_at = datetime.now(UTC)
        self.moved = 0.0
        sealer = FileSealer(tmp_path / "key", MasterKeys(Keyring((MasterKey.generate(),))))
        self.identities = Identities()
        self.records = IamRecords(MemoryStore(), self.identities, sealer, self)
        self.user = User(account=ACCOUNT, name="ann", id="AIDA1", created=0)
        self.role = Role(account=ACCOUNT, name="r", id="AROA1", created=0, trust="{}")
        made = self.records.sealed_key(ACCOUNT, "ann")
        self.key, self.secret = made.key, made.secret
        for record in (self.user, self.role, self.key):
            self.identities.put(record)
        self.sessions = Sessions(sealer, self)
        self.verified = Verified(Credentials(self.identities, self.sessions, sealer), self)

    def now(self) -> float:
        return self.signed_at.timestamp() + self.moved

    async def check(self, request: HttpRequest, service: str = "lambda") -> str:
        """The ARN of who asks. Raises AuthenticationError."""
        identity = self.verified.identify(request.headers, request.query)
        self.verified.admit(identity, service)
        await self.verified.verify(identity, request)
        assert identity.credential is not None
        return identity.credential.principal.arn

    async def refusal(self, request: HttpRequest, service: str = "lambda") -> tuple[str, str]:
        with pytest.raises(ServiceError) as refused:
            await self.check(request, service)
        return refused.value.code, str(refused.value.message)

    def signed(self, **members: Any) -> HttpRequest:
        request = signed(self.key.id, self.secret, **members)
        moment = request.headers.get(b"x-amz-date", b"").decode() or dict(parse_qsl(request.query))["X-Amz-Date"]
        self.signed_at = datetime.strptime(moment, "%Y%m%dT%H%M%S%z")
        return request


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(tmp_path)


def signed(
    key: str, secret: str, *, method: str = "POST", url: str = "http://127.0.0.1:4566/2015-03-31/functions",
    body: bytes = b"{}", token: str | None = None, region: str = "eu-west-1", service: str = "lambda",
    presign: int | None = None, headers: dict[str, str] | None = None,
) -> HttpRequest:  # fmt: skip
    """A request as botocore signs it, as the server receives it."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    credentials = BotoCredentials(key, secret, token)
    if presign is None:
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    else:
        botocore.auth.SigV4QueryAuth(credentials, service, region, expires=presign).add_auth(request)
    parts = urlsplit(request.url)
    sent = {"Host": parts.netloc, **dict(request.headers.items())}
    return HttpRequest(
        method=method, path=parts.path, query=parts.query, body=body,
        headers={name.lower().encode(): value.encode("latin-1") for name, value in sent.items()},
    )  # fmt: skip


_paths = st.lists(st.text("aZ0-_.~$:%é @+", min_size=1, max_size=6), max_size=4)
_queries = st.lists(
    st.tuples(st.text("aB.-_ +é&=/", min_size=1, max_size=4), st.text("x1 +%é/=&", max_size=5)), max_size=3
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]), parts=_paths, query=_queries, body=st.binary(max_size=50),
    presign=st.sampled_from([None, None, 60]),
)  # fmt: skip
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_botocore_signs_is_believed(
    world: World, method: str, parts: list[str], query: list[tuple[str, str]], body: bytes, presign: int | None
) -> None:
    from urllib.parse import quote

    path = "/" + "/".join(quote(part, safe="") for part in parts)
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    url = f"http://127.0.0.1:4566{path}{'?' + pairs if pairs else ''}"
    request = world.signed(method=method, url=url, body=b"" if presign else body, presign=presign)
    assert await world.check(request) == f"arn:aws:iam::{ACCOUNT}:user/ann"


async def test_a_session_is_believed_with_its_token(world: World) -> None:
    session = world.sessions.begin(world.role, "s1", 900)
    token = world.sessions.token_of(session)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s1"
    assert await world.check(signed(session.access_key_id, session.secret, token=token)) == arn
    assert await world.check(signed(session.access_key_id, session.secret, token=token, body=b"", presign=60)) == arn
    for wrong in (None, token[:-8] + "AAAAAAA=", "x", "x" * 20_000):
        code, _ = await world.refusal(signed(session.access_key_id, session.secret, token=wrong))
        assert code == "UnrecognizedClientException"
    other = world.sessions.begin(world.role, "s2", 900)
    code, _ = await world.refusal(signed(other.access_key_id, other.secret, token=token))
    assert code == "UnrecognizedClientException"


async def test_a_session_ends_with_its_time(world: World) -> None:
    session = world.sessions.begin(world.role, "s1", 100)
    request = signed(session.access_key_id, session.secret, token=world.sessions.token_of(session))
    world.moved = 101
    assert await world.refusal(request) == (
        "ExpiredTokenException", "The security token included in the request is expired"
    )  # fmt: skip


async def test_a_session_ends_with_its_role_also_if_another_has_the_name(world: World) -> None:
    session = world.sessions.begin(world.role, "s1", 900)
    request = signed(session.access_key_id, session.secret, token=world.sessions.token_of(session))
    await world.check(request)
    world.identities.put(Role(account=ACCOUNT, name="r", id="AROA2", created=0, trust="{}"))
    assert (await world.refusal(request))[0] == "UnrecognizedClientException"


async def test_a_session_that_was_released_is_over_at_once(world: World) -> None:
    session = world.sessions.begin(world.role, "s1", 900, function_arn="arn:f")
    token = world.sessions.hold(session)
    request = signed(session.access_key_id, session.secret, token=token)
    await world.check(request)
    world.sessions.release(session.access_key_id)
    assert (await world.refusal(request))[0] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"}, {"path": "/2015-03-31/functionz"}, {"query": "a=1"}, {"body": b"{ }"}, {"body": b""},
    ],
)  # fmt: skip
async def test_any_change_of_a_signed_request_is_noticed(world: World, change: dict[str, Any]) -> None:
    request = world.signed()
    for name, value in change.items():
        setattr(request, name, value)
    code, text = await world.refusal(request)
    assert code == "InvalidSignatureException"
    assert text.startswith("The request signature we calculated does not match")


async def test_a_signed_header_that_changes_or_goes_is_noticed(world: World) -> None:
    for value in (b"other:1", None):
        request = world.signed()
        headers = dict(request.headers)
        if value is None:
            del headers[b"host"]
        else:
            headers[b"host"] = value
        request.headers = headers
        assert (await world.refusal(request))[0] == "InvalidSignatureException"


async def test_headers_that_services_read_have_to_be_signed(world: World) -> None:
    request = world.signed()
    request.headers = {**request.headers, b"x-amz-invocation-type": b"Event"}
    assert await world.refusal(request) == (
        "InvalidSignatureException", "'x-amz-invocation-type' must be a 'SignedHeader' in the AWS Authorization."
    )  # fmt: skip


async def test_a_wrong_secret_and_an_unknown_key_are_refused(world: World) -> None:
    code, _ = await world.refusal(signed(world.key.id, "wrong"))
    assert code == "InvalidSignatureException"
    code, text = await world.refusal(signed("AKIAUNKNOWN", world.secret))
    assert (code, text) == ("UnrecognizedClientException", "The security token included in the request is invalid.")


async def test_a_deactivated_or_deleted_key_is_like_an_unknown_one(world: World) -> None:
    request = world.signed()
    await world.check(request)
    world.identities.put(AccessKey(account=ACCOUNT, id=world.key.id, created=0, user="ann", active=False,
                                   sealed=world.key.sealed))  # fmt: skip
    assert (await world.refusal(request))[0] == "UnrecognizedClientException"
    world.identities.put(world.key)
    await world.check(request)
    world.identities.remove(world.key)
    assert (await world.refusal(request))[0] == "UnrecognizedClientException"


async def test_signatures_are_good_for_five_minutes_around_their_time(world: World) -> None:
    request = world.signed()
    for moved in (-300, 300):
        world.moved = moved
        await world.check(request)
    world.moved = 301
    code, text = await world.refusal(request)
    assert code == "InvalidSignatureException"
    assert text.startswith("Signature expired: ")
    world.moved = -301
    assert (await world.refusal(request))[1].startswith("Signature not yet current: ")


async def test_presigned_requests_are_good_for_as_long_as_they_say(world: World) -> None:
    request = world.signed(presign=1000, body=b"")
    world.moved = 1000
    await world.check(request)
    world.moved = 1001
    assert (await world.refusal(request))[1].startswith("Signature expired: ")


async def test_the_scope_has_to_be_the_request_s_own(world: World) -> None:
    code, text = await world.refusal(world.signed(service="s3"))
    assert (code, text) == ("InvalidSignatureException", "Credential should be scoped to correct service: 'lambda'.")
    # Signed for one region, presented for another: the key of the region is another one.
    request = world.signed()
    headers = dict(request.headers)
    headers[b"authorization"] = headers[b"authorization"].replace(b"eu-west-1", b"us-east-1")
    request.headers = headers
    assert (await world.refusal(request))[0] == "InvalidSignatureException"
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d").encode()
    request = world.signed()
    today = request.headers[b"x-amz-date"][:8]
    headers = dict(request.headers)
    headers[b"authorization"] = headers[b"authorization"].replace(b"/" + today, b"/" + yesterday)
    request.headers = headers
    assert (await world.refusal(request))[1].startswith("Date in Credential scope does not match")


async def test_a_declared_payload_hash_has_to_be_the_payload_s(world: World) -> None:
    request = world.signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert (await world.refusal(request))[0] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "MissingAuthenticationTokenException"),
        (b"", "IncompleteSignatureException"),
        (b"Basic abc", "IncompleteSignatureException"),
        (b"AWS4-ECDSA-P256-SHA256 Credential=a", "IncompleteSignatureException"),
        (b"AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        (b"AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x", "IncompleteSignatureException"),
        (b"AWS4-HMAC-SHA256 Credential=a/20240101/r/lambda/aws4, SignedHeaders=host, Signature=x",
         "InvalidSignatureException"),
        (b"AWS4-HMAC-SHA256 Credential=a/20240101/eu-west-1/lambda/aws4_request, Signature=x",
         "IncompleteSignatureException"),
        (b"AWS4-HMAC-SHA256 Credential=a/20240101/eu-west-1/lambda/aws4_request, SignedHeaders=host",
         "InvalidSignatureException"),
    ],
)  # fmt: skip
async def test_what_is_no_signature_is_refused(world: World, authorization: bytes | None, code: str) -> None:
    headers = {b"host": b"127.0.0.1", b"x-amz-date": b"20240101T000000Z"}
    if authorization is not None:
        headers[b"authorization"] = authorization
    assert (await world.refusal(HttpRequest(method="GET", path="/", headers=headers)))[0] == code


_junk = st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace"))


@given(
    authorization=_junk | st.builds(
        lambda credential, names, signature: b"AWS4-HMAC-SHA256 Credential=" + credential + b", SignedHeaders=" + names
        + b", Signature=" + signature, _junk, _junk, _junk,
    ),
    date=_junk, query=st.text("XAmz-=&%0123456789abcSignature", max_size=80), token=st.none() | _junk, body=_junk,
)  # fmt: skip
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_bytes_are_refused_and_nothing_worse(
    world: World, authorization: bytes, date: bytes, query: str, token: bytes | None, body: bytes
) -> None:
    headers = {b"host": b"h", b"authorization": authorization, b"x-amz-date": date}
    if token is not None:
        headers[b"x-amz-security-token"] = token
    for sent in (headers, {b"host": b"h"}):
        text = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}" if sent is not headers else query
        with pytest.raises(ServiceError) as refused:
            await world.check(HttpRequest(method="POST", path="/", query=text, headers=sent, body=body))
        assert refused.value.http_status in (400, 403)
