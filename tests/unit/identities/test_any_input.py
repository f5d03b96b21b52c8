"""Whatever a caller sends to IAM and STS, signed or not, allowed or not, is answered or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.access import Access
from ingle.catalog import Catalog
from ingle.domain.access.authority import Authority
from ingle.domain.clock import SystemClock
from ingle.domain.identity import User
from ingle.encryption.master import Keyring, MasterKey, MasterKeys
from ingle.frontend.asgi import Application
from ingle.frontend.dispatch import Gate
from ingle.frontend.verification import Verified
from ingle.testing.memory_store import MemoryStore
from ingle.wire import Service

ACCOUNT = "111111111111"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}


class Everybody(Verified):
    """Believes that every request is a certain user's, so that bodies of all kinds get through to the handlers."""

    def __init__(self, access: Access, user: User) -> None:
        super().__init__(access.credentials, access.clock)
        made = access.records.sealed_key(ACCOUNT, user.name)
        access.identities.put(user)
        access.identities.put(made.key)
        found = access.credentials.find(made.key.id, None)
        assert found is not None
        self.credential = found

    def identify(self, headers: Any, query: str) -> Any:
        identity = super().identify(headers, query)
        return type(identity)(
            account=ACCOUNT, region="us-east-1", access_key_id=self.credential.access_key_id,
            credential=self.credential, service=headers.get(b"x-service", b"").decode(),
        )  # fmt: skip

    def admit(self, identity: Any, service: str) -> None:
        """Everybody."""

    async def verify(self, identity: Any, request: Any) -> None:
        """Everything."""


@pytest.fixture
async def application(tmp_path: Path) -> Application:
    access = await Access.open(
        MemoryStore(), tmp_path / "key", MasterKeys(Keyring((MasterKey.generate(),))), SystemClock(), enforced=True
    )
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    user = User(account=ACCOUNT, name="ann", id="AIDA1", created=0, inline={"p": allow})
    gate = Gate(authentication=Everybody(access, user), authorizer=access.authorizer(Catalog()))
    handlers = {
        **{("iam", name): handler for name, handler in access.iam.handlers().items()},
        **{("sts", name): handler for name, handler in access.sts.handlers().items()},
    }
    return Application(handlers, {}, gate=gate, inner=gate)


async def ask(application: Application, service: str, body: bytes) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http", "method": "POST", "raw_path": b"/", "query_string": b"", "scheme": "http", "state": {},
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded"),
                    (b"x-service", service.encode())],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


_texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["ann", "r", "*", "arn:aws:iam::aws:policy/AdministratorAccess", f"arn:aws:iam::{ACCOUNT}:role/r", "true", "1",
         "2000000000000", "-1", "/x/", "{}", '{"Version":"2012-10-17","Statement":[]}', "arn:aws:iam::1:policy/x/y",
         "arn:aws:iam:::role/", "", "v1", "v0", "Active", "\ud7ff", "a" * 3000]
    ),
)  # fmt: skip
_ACTIONS = [(service, name) for service in VERSIONS for name in Service.load(service).operation_names]
_NAMES = ["UserName", "RoleName", "GroupName", "PolicyName", "PolicyArn", "PolicyDocument", "RoleArn", "VersionId",
          "AssumeRolePolicyDocument", "RoleSessionName", "Path", "PathPrefix", "Marker", "MaxItems", "Status",
          "AccessKeyId", "PermissionsBoundary", "Tags.member.1.Key", "Tags.member.1.Value", "TagKeys.member.1",
          "DurationSeconds", "Policy", "PolicyArns.member.1.arn", "MaxSessionDuration", "SetAsDefault", "NewUserName",
          "ExternalId", "SourceIdentity", "Description"]  # fmt: skip


@given(action=st.sampled_from(_ACTIONS), parameters=st.dictionaries(st.sampled_from(_NAMES), _texts, max_size=12))
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_parameters_are_answered_or_refused(
    application: Application, action: tuple[str, str], parameters: dict[str, str]
) -> None:
    service, name = action
    form = {"Action": name, "Version": VERSIONS[service], **parameters}
    body = urlencode(form, quote_via=quote_plus, errors="replace").encode()
    status, answer = await ask(application, service, body)
    assert status < 500 or b"NotImplemented" in answer, answer


@given(body=st.binary(max_size=60) | st.text("Action=&%.member1", max_size=60).map(str.encode))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_form_is_answered_or_refused(application: Application, body: bytes) -> None:
    status, _ = await ask(application, "iam", body)
    assert 400 <= status < 500


def test_an_authority_is_one_credential_s() -> None:
    """Decisions are remembered by it, so two that look alike are two."""
    fields: dict[str, Any] = {"principal": None, "policies": None}
    assert Authority(**fields) != Authority(**fields)
