"""Whatever a caller sends to EC2 is answered or refused by name, and answers have only what EC2's model knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.catalog.networks import Networks
from ingle.domain.caller import Caller
from ingle.domain.clock import RandomIds, SystemClock
from ingle.domain.vpc import KINDS, Resource
from ingle.frontend.asgi import Application
from ingle.frontend.authorization.ec2_needs import Ec2Needs
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.ec2.service import Ec2
from ingle.testing.memory_store import MemoryStore
from ingle.wire.model import Shape, load_model

MODEL = load_model("ec2")


def require_known(value: Any, shape: Shape, path: str) -> None:
    """Members that the model does not have would be dropped silently."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            assert name in shape.members, f"{path}.{name}"
            if item is not None:
                require_known(item, shape.members[name].shape, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            require_known(item, shape.part("member").shape, path)


def checked(name: str, handler: Any) -> Any:
    async def handle(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        needs = Ec2Needs(NETWORKS)(caller, name, params)
        assert needs
        answer: dict[str, Any] = await handler(caller, params)
        shape = MODEL.io_shape(name, "output")
        if shape is None:
            assert answer == {}, name
        else:
            require_known(answer, shape, name)
        return answer

    return handle


NETWORKS = Networks()


@pytest.fixture(scope="module")
def application() -> Application:
    records = NetworkRecords(MemoryStore(), NETWORKS, SystemClock(), RandomIds())
    handlers = {("ec2", name): checked(name, handler) for name, handler in Ec2(records).handlers().items()}
    return Application(handlers, {})


async def ask(application: Application, form: Mapping[str, str]) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    body = urlencode({"Version": "2016-11-15", **form}, quote_via=quote_plus, errors="replace").encode()
    credential = b"AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
    scope = {
        "type": "http", "method": "POST", "raw_path": b"/", "query_string": b"", "scheme": "http", "state": {},
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded"),
                    (b"authorization", credential)],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def names_of(shape: Shape, prefix: str = "", depth: int = 0) -> list[str]:
    """The names that parameters of an operation may have in a form."""
    found = []
    for member in shape.members.values():
        name = member.raw.get("queryName", member.wire_name)
        name = f"{prefix}{name[:1].upper()}{name[1:]}"
        inner = member.shape
        while inner.type == "list":
            name, inner = f"{name}.1", inner.part("member").shape
        found += names_of(inner, f"{name}.", depth + 1) if inner.type == "structure" and depth < 3 else [name]
    return found


OPERATIONS = sorted(Ec2(NetworkRecords(MemoryStore(), NETWORKS, SystemClock(), RandomIds())).handlers())
NAMES = {name: names_of(shape) if (shape := MODEL.io_shape(name, "input")) is not None else [] for name in OPERATIONS}
TEXTS = [
    "10.0.0.0/16", "10.0.1.0/24", "0.0.0.0/0", "::/0", "fd00::/64", "10.0.1.4", "tcp", "-1", "6", "icmp", "80", "0",
    "true", "false", "allow", "default", "us-east-1a", "vpc", "subnet", "security-group", "enableDnsSupport", "IPv4",
    "vpc-00000000", "bogus", "", "99999999999999999999", "a" * 300, "ä\x00<&>", "local", "private", "public",
]  # fmt: skip


@st.composite
def requests(draw: Any) -> tuple[str, dict[str, Any]]:
    """Ids that are there are drawn when the request is made: by the place among those of their kind."""
    name = draw(st.sampled_from(OPERATIONS))
    members = draw(st.lists(st.sampled_from(NAMES[name]), max_size=6, unique=True)) if NAMES[name] else []
    value = st.sampled_from(TEXTS) | st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 5))
    return name, {member: draw(value) for member in members if member != "DryRun"}


def filled(value: Any) -> str:
    if isinstance(value, str):
        return value
    kind, place = value
    records: list[Resource] = list(NETWORKS.every(KINDS[kind]))
    return records[place % len(records)].id if records else f"{KINDS[kind].prefix}-00000000"


@given(asked=st.lists(requests(), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_requests_are_answered_or_refused(application: Application, asked: list[Any]) -> None:
    for name, params in asked:
        form = {"Action": name, **{member: filled(value) for member, value in params.items()}}
        status, answer = await ask(application, form)
        assert status < 500, (form, answer)


async def test_every_operation_that_lists_answers_with_what_its_model_has(application: Application) -> None:
    for name in OPERATIONS:
        if name.startswith("Describe"):
            status, answer = await ask(application, {"Action": name})
            assert status == 200 or b"MissingParameter" in answer, (name, answer)


@given(name=st.sampled_from(OPERATIONS), member=st.text(max_size=20), value=st.text(max_size=20))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_form_is_answered_or_refused(application: Application, name: str, member: str, value: str) -> None:
    status, answer = await ask(application, {"Action": name, member: value})
    assert status < 500, answer
