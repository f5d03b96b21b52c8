"""Requests that make no sense get KMS's own errors: over the wire, into the real handlers."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.frontend.asgi import Application
from ingle.wire import Service
from ingle.wire.model import Shape, load_model
from kms_world import World

MODEL = load_model("kms")
#: Codes that every operation may answer. The model lists the last two for some of those that have such a member only.
COMMON = {
    "ValidationException", "SerializationException", "AccessDeniedException", "NotImplementedException",
    "NotAuthorizedException", "InvalidGrantTokenException", "InvalidMarkerException",
}  # fmt: skip
OPERATIONS = sorted(World().kms.handlers())

_texts = st.one_of(
    st.sampled_from(["", "alias/a", "alias/aws/lambda", "default", "x" * 2049, "\x00", "ü", "arn:aws:kms:::key/", "*"]),
    st.text(max_size=12),
)
_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=4,
)


def values(shape: Shape, known: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Members that are nearly right: of the right type, mostly, with values that exist and values that do not."""
    if shape.name in known:
        return st.sampled_from(known[shape.name]) | _texts
    if "enum" in shape.raw:
        return st.sampled_from(shape.raw["enum"]) | _texts
    match shape.type:
        case "structure" if depth < 3:
            optional = {name: values(item.shape, known, depth + 1) for name, item in shape.members.items()}
            return st.fixed_dictionaries({}, optional=optional)
        case "list":
            return st.lists(values(shape.part("member").shape, known, depth + 1), max_size=3)
        case "map":
            return st.dictionaries(_texts, _texts, max_size=3)
        case "integer" | "long":
            return st.integers(-1, 4000)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(max_size=120).map(lambda data: base64.b64encode(data).decode())
    return _texts


async def post(application: Application, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"x-amz-target", f"TrentService.{operation}".encode())]
    scope = {"type": "http", "method": "POST", "scheme": "http", "raw_path": b"/", "query_string": b"",
             "headers": headers, "state": {}}  # fmt: skip
    await application(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"] or b"{}")


def check(operation: str, status: int, answer: dict[str, Any]) -> None:
    if status == 200:
        return
    errors = {error["shape"] for error in MODEL.operations[operation].get("errors", [])}
    assert status in (400, 501), answer
    assert answer["__type"] in errors | COMMON, (operation, answer)


@pytest.fixture(scope="module")
def place() -> tuple[Application, dict[str, Any]]:
    """A server with a key in each state, and names of what there is."""
    world = World()
    caller = world.caller(account="000000000000")

    async def fill() -> dict[str, Any]:
        made = [await world.key(caller) for _ in range(3)]
        await world.call("DisableKey", caller, KeyId=made[1])
        await world.call("ScheduleKeyDeletion", caller, KeyId=made[2])
        await world.call("CreateAlias", caller, AliasName="alias/a", TargetKeyId=made[0])
        await world.call("DescribeKey", caller, KeyId="alias/aws/lambda")
        root = "arn:aws:iam::000000000000:root"
        granted = {"GranteePrincipal": root, "Operations": ["Decrypt"]}
        grant = await world.call("CreateGrant", caller, KeyId=made[0], **granted)
        sealed = await world.call("Encrypt", caller, KeyId=made[0], Plaintext=b"x")
        blob = base64.b64encode(sealed["CiphertextBlob"]).decode()
        managed = world.records.catalog.alias("000000000000", "us-east-1", "alias/aws/lambda")
        assert managed is not None
        keys = [*made, *(arn.rpartition("/")[2] for arn in made), managed.key_id, "alias/a", "alias/aws/lambda"]
        policy = (await world.call("GetKeyPolicy", caller, KeyId=made[0]))["Policy"]
        return {
            "KeyIdType": keys, "CiphertextType": [blob], "GrantIdType": [grant["GrantId"]],
            "PolicyType": [policy, "{}"],
            "GrantTokenType": [grant["GrantToken"]], "AliasNameType": ["alias/a", "alias/b", "alias/aws/x"],
            "PlaintextType": ["eA=="], "PrincipalIdType": [root],
        }  # fmt: skip

    known = asyncio.run(fill())
    handlers = {("kms", name): handler for name, handler in world.kms.handlers().items()}
    # The lock of the records belongs to the loop that used it first.
    world.records.exclusive = asyncio.Lock()
    return Application(handlers, {}), known


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=40)
@given(data=st.data())
def test_nearly_right_requests_get_modelled_errors(operation: str, data: st.DataObject, place: Any):
    application, known = place
    shape = MODEL.io_shape(operation, "input")
    assert shape is not None
    body = json.dumps(data.draw(values(shape, known))).encode()
    check(operation, *asyncio.run(post(application, operation, body)))


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=15)
@given(document=_junk, raw=st.binary(max_size=40), as_json=st.booleans())
def test_bodies_that_are_no_requests_get_modelled_errors(
    operation: str, document: Any, raw: bytes, as_json: bool, place
):
    application, _ = place
    body = json.dumps(document).encode() if as_json else raw
    check(operation, *asyncio.run(post(application, operation, body)))


def test_every_other_operation_of_the_model_is_not_implemented_by_name(place: Any):
    application, _ = place
    others = sorted(set(Service.load("kms").operation_names) - set(OPERATIONS))
    assert "Sign" in others
    for operation in others:
        status, answer = asyncio.run(post(application, operation, b"{}"))
        assert (status, answer["__type"], operation in answer["message"]) == (501, "NotImplementedException", True)
