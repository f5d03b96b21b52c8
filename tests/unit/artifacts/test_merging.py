"""Trees laid over each other: the later one counts, and what is merged shares its files."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.artifacts import PackageMissing
from ingle.artifacts.merging import merge_trees
from ingle.artifacts.packages import PackageStore
from ingle.domain.function import Package
from ingle.storage.blobs import BlobStore

from .archives import make_zip

TREE = Package(digest="77" * 32, size=0)

names = st.sampled_from("abc")
#: A tree: a name leads to a file's content, to a link's target after "->", or to a tree.
trees = st.recursive(
    st.text("xy", max_size=2) | st.sampled_from(["->a", "->../b", "->/nowhere"]),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
).filter(lambda tree: isinstance(tree, dict))


def make(tree: dict, root: Path) -> None:
    root.mkdir()
    for name, value in tree.items():
        if isinstance(value, dict):
            make(value, root / name)
        elif value.startswith("->"):
            (root / name).symlink_to(value[2:])
        else:
            (root / name).write_text(value)


def read(root: Path) -> dict:
    found = {}
    for entry in os.scandir(root):
        if entry.is_symlink():
            found[entry.name] = "->" + os.readlink(entry.path)
        else:
            path = Path(entry.path)
            found[entry.name] = read(path) if path.is_dir() else path.read_text()
    return found


def laid(lower: dict, upper: dict) -> dict:
    both = {
        name: laid(lower[name], upper[name])
        for name in lower.keys() & upper.keys()
        if isinstance(lower[name], dict) and isinstance(upper[name], dict)
    }
    return {**lower, **upper, **both}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(trees, min_size=1, max_size=4))
def test_the_sum_of_any_trees(parts: list[dict], tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("trees")
    expected: dict = {}
    for number, part in enumerate(parts):
        make(part, path / str(number))
        expected = laid(expected, part)
    (path / "sum").mkdir()
    merge_trees([path / str(number) for number in range(len(parts))], path / "sum")
    assert read(path / "sum") == expected
    for number, part in enumerate(parts):
        assert read(path / str(number)) == part


def test_files_are_shared_with_modes_and_times(tmp_path: Path):
    make({"a": "x", "deep": {"b": "y"}}, tmp_path / "one")
    (tmp_path / "one" / "a").chmod(0o751)
    os.utime(tmp_path / "one" / "a", (5, 5))
    (tmp_path / "sum").mkdir()
    merge_trees([tmp_path / "one"], tmp_path / "sum")
    assert (tmp_path / "sum" / "a").samefile(tmp_path / "one" / "a")
    assert (tmp_path / "sum" / "a").stat().st_mode & 0o777 == 0o751
    assert (tmp_path / "sum" / "deep").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK])
def test_files_are_copied_where_no_link_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    make({"a": "x", "link": "->a"}, tmp_path / "one")
    os.utime(tmp_path / "one" / "a", (5, 5))
    (tmp_path / "sum").mkdir()
    monkeypatch.setattr(os, "link", refuse)
    merge_trees([tmp_path / "one"], tmp_path / "sum")
    assert read(tmp_path / "sum") == {"a": "x", "link": "->a"}
    assert not (tmp_path / "sum" / "a").samefile(tmp_path / "one" / "a")
    assert (tmp_path / "sum" / "a").stat().st_mtime == 5


def test_a_tree_as_deep_as_packages_may_be(tmp_path: Path):
    depth = 256
    (tmp_path / "sum").mkdir()
    os.makedirs(tmp_path / "one" / "/".join("d" * depth))
    merge_trees([tmp_path / "one"], tmp_path / "sum")
    assert (tmp_path / "sum" / "/".join("d" * depth)).is_dir()


async def test_a_store_merges_once_and_removes_the_tree_like_a_package(tmp_path: Path):
    store = PackageStore(BlobStore(tmp_path / "blobs"), tmp_path / "packages")
    parts = [await store.add(make_zip(("a", content), (content.decode(), b""))) for content in (b"one", b"two")]
    paths = await asyncio.gather(*(store.merge(parts, TREE) for _ in range(5)))
    assert set(paths) == {store.path(TREE)}
    assert read(paths[0]) == {"a": "two", "one": "", "two": ""}
    await store.remove(TREE)
    assert not paths[0].exists()
    assert read(await store.extract(parts[0])) == {"a": "one", "one": ""}


async def test_a_merge_that_fails_leaves_nothing(tmp_path: Path):
    store = PackageStore(BlobStore(tmp_path / "blobs"), tmp_path / "packages")
    part = await store.add(make_zip(("a", b"x")))
    with pytest.raises(PackageMissing):
        await store.merge([part, Package(digest="88" * 32, size=1)], TREE)
    assert {name for name in os.listdir(tmp_path / "packages") if name != ".boot"} == {part.digest}


async def test_a_sweep_keeps_merged_trees_that_are_named(tmp_path: Path):
    store = PackageStore(BlobStore(tmp_path / "blobs"), tmp_path / "packages")
    part = await store.add(make_zip(("a", b"x")))
    await store.merge([part], TREE)
    await store.sweep({part.digest, TREE.digest})
    assert store.path(TREE).is_dir()
    await store.sweep({part.digest})
    assert not store.path(TREE).exists()


async def test_how_much_a_package_has_unzipped(tmp_path: Path):
    store = PackageStore(BlobStore(tmp_path / "blobs"), tmp_path / "packages")
    package = await store.add(make_zip(("a", b"x" * 1000), ("b", b"y")))
    assert package.unzipped == 1001
    assert (await store.inspect(make_zip(("a", b"xy")))).unzipped == 2
    assert await store.unzipped(Package(digest=package.digest, size=package.size)) == 1001
    with pytest.raises(PackageMissing):
        await store.unzipped(TREE)
