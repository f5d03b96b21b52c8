"""What every LayerStore promises, over every implementation."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.domain.function import LayerReference, Package
from ingle.domain.layer import Grant, Layer, LayerKey, LayerVersion
from ingle.storage.sql import SqlStore
from ingle.storage.sqlite_copy import package_digests
from ingle.storage.store import LayerStore
from ingle.testing.memory_store import MemoryStore

from .values import make_function

KEY = LayerKey(account="000000000000", region="us-east-1", name="l")


def version(number: int = 1, *, key: LayerKey = KEY, digest: str = "cd" * 32) -> LayerVersion:
    return LayerVersion(key=key, number=number, package=Package(digest=digest, size=1), created=number)


def layer_of(*versions: LayerVersion) -> Layer:
    layer = Layer(key=versions[0].key)
    for item in versions:
        layer = layer.with_version(item)
    return layer


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LayerStore]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
            yield sql


async def test_versions_come_change_and_go(store: LayerStore):
    layer = layer_of(version())
    await store.save_layer(layer, 1)
    for number in (2, 10, 3):
        layer = layer.with_version(version(number))
        await store.save_layer(layer, number)
    assert await store.load_layers() == [layer]
    assert layer.next_version == 11
    layer = layer.with_version(replace(version(2), grants=(Grant(sid="s", principal="*"),), policy_revision="r"))
    await store.save_layer(layer, 2)
    assert await store.load_layers() == [layer]
    for number in (1, 10, 3, 2):
        layer = layer.without_version(number)
        await store.save_layer(layer, number)
        assert await store.load_layers() == [layer]
    assert layer == Layer(key=KEY, next_version=11)


async def test_layers_are_loaded_by_region_and_name(store: LayerStore):
    keys = [replace(KEY, name="b"), replace(KEY, name="a"), replace(KEY, region="eu-west-1")]
    for key in keys:
        await store.save_layer(layer_of(version(key=key)), 1)
    assert [layer.key for layer in await store.load_layers()] == [keys[2], keys[1], keys[0]]


_text = st.text(max_size=10)
_names = st.none() | st.lists(_text, max_size=3).map(tuple)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=st.builds(
        LayerVersion,
        key=st.just(KEY),
        number=st.integers(1, 2**62),
        package=st.builds(Package, digest=_text, size=st.integers(0, 2**40), unzipped=st.none() | st.integers(0, 9)),
        created=st.integers(0, 2**50),
        description=_text,
        runtimes=_names,
        architectures=_names,
        license=st.none() | _text,
        grants=st.lists(st.builds(Grant, sid=_text, principal=_text, organization=st.none() | _text)).map(tuple),
        policy_revision=_text,
    )
)
def test_any_version_comes_back_as_it_was(found: LayerVersion, tmp_path_factory: pytest.TempPathFactory):
    async def round_trip() -> list[Layer]:
        path = tmp_path_factory.mktemp("store") / "test.db"
        async with SqlStore(f"sqlite:///{path}") as store:
            await store.save_layer(layer_of(found), found.number)
        async with SqlStore(f"sqlite:///{path}") as store:
            return await store.load_layers()

    assert asyncio.run(round_trip()) == [layer_of(found)]


async def test_a_backup_knows_what_layers_and_functions_need(tmp_path: Path):
    function = make_function(digest="aa" * 32)
    reference = LayerReference(arn="arn", package=Package(digest="bb" * 32, size=1))
    layered = replace(function.latest, configuration=replace(function.latest.configuration, layers=(reference,)))
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.insert(replace(function, latest=layered))
        await store.save_layer(layer_of(version(digest="cc" * 32)), 1)
    assert package_digests(tmp_path / "test.db") == {"aa" * 32, "bb" * 32, "cc" * 32}


async def test_a_backup_of_a_database_before_there_were_layers(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection, connection:
        connection.execute("CREATE TABLE versions (document JSON)")
        document = {"configuration": {"package": {"digest": "aa" * 32, "size": 1}}}
        connection.execute("INSERT INTO versions VALUES (?)", (json.dumps(document),))
    assert package_digests(tmp_path / "test.db") == {"aa" * 32}
