"""What is attached to functions comes back from every store as it was, and goes with its function."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingle.domain.attachments import Attachments
from ingle.domain.code_signing import CodeSigningBinding, CodeSigningConfig, CodeSigningKey
from ingle.domain.event_invoke_config import EventInvokeConfig
from ingle.domain.function_url import Cors, FunctionUrl
from ingle.domain.policy import Policy
from ingle.domain.recursion import Recursion
from ingle.domain.runtime_management import RuntimeManagement
from ingle.storage.attachment_documents import NAMES
from ingle.storage.sql import SqlStore
from ingle.storage.store import FunctionStore
from ingle.testing.memory_store import MemoryStore

from .values import make_function, published

VALUES: list[Any] = [
    Policy(statements=({"Sid": "a", "Principal": {"AWS": ["1", "2"]}},), id=None),
    EventInvokeConfig(last_modified=5, maximum_retries=0, on_failure="arn"),
    FunctionUrl(id="x", auth_type="NONE", created=1, last_modified=2),
    RuntimeManagement(update_on="Manual", runtime_version_arn="arn"),
    Recursion(loop="Allow"),
    CodeSigningBinding(arn="arn"),
]
WITH_CORS = FunctionUrl(
    id="y", auth_type="NONE", created=1, last_modified=2, invoke_mode="BUFFERED",
    cors=Cors(allow_headers=(), allow_methods=("GET", "*"), max_age=0, allow_credentials=False),
)  # fmt: skip


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FunctionStore]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
            yield sql


def having(*pairs: tuple[str, Any]) -> Attachments:
    attached = Attachments()
    for qualifier, value in pairs:
        attached = attached.having(qualifier, value)
    return attached


def test_every_kind_that_is_stored_is_tested_here():
    assert {type(value) for value in VALUES} == set(NAMES)


async def test_every_kind_comes_back(store: FunctionStore):
    everything = having(*(("$LATEST", value) for value in VALUES), ("1", VALUES[0]), ("live", WITH_CORS))
    function = replace(published(make_function()), attachments=everything)
    await store.insert(function)
    assert await store.load_all() == [function]


@pytest.mark.parametrize("knows_before", [True, False])
async def test_a_save_writes_what_differs(store: FunctionStore, knows_before: bool):
    other = replace(make_function("other"), attachments=having(("$LATEST", VALUES[0])))
    before = replace(make_function(), attachments=having(*(("$LATEST", value) for value in VALUES)))
    await store.insert(other)
    await store.insert(before)
    attached = before.attachments.without(Recursion, "$LATEST").having("$LATEST", WITH_CORS).having("live", VALUES[0])
    after = replace(before, attachments=attached)
    await store.save(after, before if knows_before else None)
    assert await store.load_all() == [after, other]


async def test_nothing_is_left_of_a_deleted_function(store: FunctionStore):
    function = replace(make_function(), attachments=having(("$LATEST", VALUES[0])))
    await store.insert(function)
    await store.delete(function.key)
    await store.insert(make_function())
    assert await store.load_all() == [make_function()]


async def test_code_signing_configs_come_change_and_go(tmp_path: Path):
    key = CodeSigningKey(account="000000000000", region="us-east-1", id="csc-b")
    config = CodeSigningConfig(key=key, publishers=("arn",), last_modified=5)
    other = replace(config, key=replace(key, id="csc-a"), policy="Enforce", description="d", tags={"a": "", "ß": "c"})
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
        for store in (sql, MemoryStore()):
            for saved in (config, other, replace(config, publishers=("x", "y"), tags={})):
                await store.save_code_signing_config(saved)
            assert await store.load_code_signing_configs() == [other, replace(config, publishers=("x", "y"), tags={})]
            for _ in range(2):
                await store.delete_code_signing_config(key)
            assert await store.load_code_signing_configs() == [other]
