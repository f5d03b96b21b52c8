"""What every FunctionStore promises, over every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ingle.domain.concurrency import Provisioned
from ingle.domain.function import Function
from ingle.storage.errors import RecordExists, RecordNotFound
from ingle.storage.sql import SqlStore
from ingle.storage.store import FunctionStore
from ingle.testing.memory_store import MemoryStore

from .values import alias_of, functions, make_function, published, updated


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FunctionStore]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
            yield sql


async def test_an_inserted_function_is_loaded(store: FunctionStore):
    await store.insert(make_function())
    assert await store.load_all() == [make_function()]


async def test_functions_are_loaded_by_region_and_name(store: FunctionStore):
    made = [make_function("b"), make_function("a"), make_function("c", region="eu-west-1")]
    for function in made:
        await store.insert(function)
    assert [function.key.name for function in await store.load_all()] == ["c", "a", "b"]


async def test_a_second_insert_of_a_key_changes_nothing(store: FunctionStore):
    await store.insert(make_function())
    with pytest.raises(RecordExists):
        await store.insert(updated(make_function()))
    assert await store.load_all() == [make_function()]


async def test_the_same_name_in_another_region_is_another_function(store: FunctionStore):
    await store.insert(make_function())
    await store.insert(make_function(region="eu-west-1"))
    await store.delete(make_function().key)
    assert await store.load_all() == [make_function(region="eu-west-1")]


async def test_a_save_replaces_the_whole_record(store: FunctionStore):
    function = make_function()
    await store.insert(function)
    await store.save(updated(function))
    assert await store.load_all() == [updated(function)]
    settled = replace(function, serving=function.latest)
    await store.save(settled)
    assert await store.load_all() == [settled]


async def test_versions_come_and_go(store: FunctionStore):
    function = make_function()
    await store.insert(function)
    for number in range(1, 12):
        before, function = function, published(function, str(number))
        await store.save(function, before=before)
    assert await store.load_all() == [function]
    assert list((await store.load_all())[0].versions) == [str(number) for number in range(1, 12)]
    before, function = function, replace(function, versions={"3": function.versions["3"]})
    await store.save(function, before=before)
    assert await store.load_all() == [function]


async def test_what_differs_is_saved_whatever_it_is(store: FunctionStore):
    function = make_function()
    await store.insert(function)
    steps = [published(function), updated(published(function)), updated(published(updated(function)))]
    for after in [*steps, replace(steps[-1], serving=None), function]:
        await store.save(after, before=function)
        function = after
        assert await store.load_all() == [function]


async def test_concurrency_comes_changes_and_goes(store: FunctionStore):
    before = published(make_function())
    await store.insert(before)
    for reserved, provisioned in ((0, {"1": 2}), (5, {"1": 3, "live": 1}), (None, {"live": 1}), (7, {})):
        configs = {name: Provisioned(requested=number, last_modified=9) for name, number in provisioned.items()}
        function = replace(before, reserved=reserved, provisioned=configs)
        await store.save(function, before=before)
        assert await store.load_all() == [function]
        await store.save(function)
        assert await store.load_all() == [function]
        before = function
    await store.save(replace(before, provisioned={"1": Provisioned(requested=1, last_modified=1)}))
    await store.delete(before.key)
    await store.insert(make_function())
    assert await store.load_all() == [make_function()]


async def test_aliases_come_change_and_go(store: FunctionStore):
    function = make_function()
    await store.insert(function)
    steps = [("a", "b"), ("a", "b", "c"), ("b",), ()]
    for count, names in enumerate(steps):
        aliases = {name: function.aliases.get(name) or alias_of(name) for name in names}
        if "b" in aliases:
            aliases["b"] = alias_of("b", str(count), f"a-{count}")
        before, function = function, replace(function, aliases=aliases)
        await store.save(function, before=before)
        assert await store.load_all() == [function]


async def test_tags_come_change_and_go(store: FunctionStore):
    function = make_function()
    await store.insert(function)
    for tags in ({"a": "1"}, {"a": "2", "ключ": ""}, {}, None, {"b": "3"}):
        before, function = function, replace(function, tags=tags)
        await store.save(function, before=before)
        assert await store.load_all() == [function]
    await store.delete(function.key)
    await store.insert(replace(function, tags={"c": "4"}))
    assert (await store.load_all())[0].tags == {"c": "4"}


async def test_versions_go_with_their_function(store: FunctionStore):
    await store.insert(replace(published(make_function()), aliases={"a": alias_of("a")}))
    await store.delete(make_function().key)
    await store.insert(make_function())
    assert await store.load_all() == [make_function()]


async def test_a_save_never_brings_a_deleted_function_back(store: FunctionStore):
    await store.insert(make_function())
    await store.delete(make_function().key)
    with pytest.raises(RecordNotFound):
        await store.save(make_function())
    assert await store.load_all() == []


async def test_delete_is_idempotent(store: FunctionStore):
    await store.delete(make_function().key)


async def test_concurrent_writers_do_not_meet(store: FunctionStore):
    made = [make_function(f"f{number:02}") for number in range(30)]
    await asyncio.gather(*(store.insert(function) for function in made))
    await asyncio.gather(*(store.save(updated(function)) for function in made))
    assert await store.load_all() == [updated(function) for function in made]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(function=functions())
def test_any_function_comes_back_as_it_was(function: Function, tmp_path_factory: pytest.TempPathFactory):
    async def round_trip() -> list[Function]:
        path = tmp_path_factory.mktemp("store") / "test.db"
        async with SqlStore(f"sqlite:///{path}") as store:
            await store.insert(function)
        async with SqlStore(f"sqlite:///{path}") as store:
            return await store.load_all()

    assert asyncio.run(round_trip()) == [function]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=functions(), after=functions())
def test_any_function_can_replace_any_other(
    before: Function, after: Function, tmp_path_factory: pytest.TempPathFactory
):
    async def replaced() -> list[Function]:
        path = tmp_path_factory.mktemp("store") / "test.db"
        async with SqlStore(f"sqlite:///{path}") as store:
            await store.insert(before)
            await store.save(after, before=before)
            return await store.load_all()

    assert asyncio.run(replaced()) == [after]
