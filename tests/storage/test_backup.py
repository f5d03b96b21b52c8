"""A backup is a data directory, consistent, made beside a server that goes on."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ingle.domain.metrics import Aggregate, Series
from ingle.storage.backup import backup
from ingle.storage.blobs import BlobStore
from ingle.storage.data_directory import DataDirectory
from ingle.storage.errors import BackupError, StorageFull
from ingle.storage.logs import LogStore
from ingle.storage.metrics import MetricStore
from ingle.storage.sql import SqlStore

from .values import FixedClock, make_function, names

SERVER = """
import asyncio, hashlib, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from storage.values import FixedClock, make_function
from ingle.storage.blobs import BlobStore
from ingle.storage.data_directory import DataDirectory
from ingle.storage.logs import LogStore
from ingle.storage.sql import SqlStore

async def main():
    with DataDirectory.open(Path(sys.argv[1])) as data:
        blobs = BlobStore(data.blobs)
        async with SqlStore(data.database_url) as store, LogStore(data.logs, FixedClock()) as logs:
            stream = logs.stream("0", "r", "/aws/lambda/f", "s")
            for number in range(100000):
                content = b"content %d" % number
                digest = hashlib.sha256(content).hexdigest()
                await blobs.put(digest, content)
                function = make_function(f"f{number:06}", digest=digest)
                await store.insert(function)
                stream.append(number, f"line {number}")
                await logs.flush()
                if number % 3 == 2:
                    await store.delete(function.key)
                    await blobs.delete(digest)
                print(number, flush=True)

asyncio.run(main())
"""


async def test_a_backup_beside_a_busy_server_opens_and_is_consistent(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    server = start(SERVER, tmp_path / "data", Path(__file__).parents[1])
    assert server.stdout is not None
    while int(server.stdout.readline()) < 20:
        pass
    backup(tmp_path / "data", tmp_path / "copy")
    assert server.poll() is None
    server.kill()
    with DataDirectory.open(tmp_path / "copy") as data:
        blobs = BlobStore(data.blobs)
        async with SqlStore(data.database_url) as store:
            functions = await store.load_all()
        assert len(functions) >= 13
        for function in functions:
            content = f"content {int(function.key.name[1:])}".encode()
            assert await blobs.get(function.latest.configuration.package.digest) == content
        async with LogStore(data.logs, FixedClock()) as logs:
            events = await logs.read("0", "r", "/aws/lambda/f", limit=100_000)
        assert [event.message for event in events] == [f"line {number}" for number in range(len(events))]
        assert len(events) >= 20


async def make_data(path: Path) -> None:
    with DataDirectory.open(path) as data:
        content = bytes(600_000)
        digest = hashlib.sha256(content).hexdigest()
        await BlobStore(data.blobs).put(digest, content)
        async with SqlStore(data.database_url) as store:
            await store.insert(make_function(digest=digest))


async def test_a_backup_of_an_idle_directory(tmp_path: Path):
    await make_data(tmp_path / "data")
    (tmp_path / "copy").mkdir()
    backup(tmp_path / "data", tmp_path / "copy")
    with DataDirectory.open(tmp_path / "copy") as data:
        async with SqlStore(data.database_url) as store:
            assert len(await store.load_all()) == 1


def test_a_directory_that_never_served_can_be_backed_up(tmp_path: Path):
    DataDirectory.open(tmp_path / "data").close()
    backup(tmp_path / "data", tmp_path / "copy")
    DataDirectory.open(tmp_path / "copy").close()


def test_a_destination_in_use_is_refused(tmp_path: Path):
    DataDirectory.open(tmp_path / "data").close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    (tmp_path / "file").write_text("")
    for name, reason in (("full", "not empty"), ("file", "not a directory"), ("data/inner", "inside")):
        with pytest.raises(BackupError, match=reason):
            backup(tmp_path / "data", tmp_path / name)
    assert not (tmp_path / "data" / "inner").exists()


def test_a_source_that_is_no_data_directory_is_refused(tmp_path: Path):
    for source in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BackupError, match="is not a data directory"):
            backup(source, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def test_a_full_destination_leaves_nothing_behind(tmp_path: Path, small_disk: Path):
    await make_data(tmp_path / "data")
    with pytest.raises(StorageFull):
        backup(tmp_path / "data", small_disk / "copy")
    assert names(small_disk) == []


async def test_metrics_are_copied_while_they_are_written(tmp_path: Path):
    series = Series("0", "r", "N", "m", (), "Count")
    with DataDirectory.open(tmp_path / "data") as data:
        async with MetricStore(data.metrics_url, FixedClock()) as metrics:
            metrics.add(series, 60, Aggregate.of([(5, 1)]))
            await metrics.flush()
            backup(tmp_path / "data", tmp_path / "copy")
            metrics.add(series, 60, Aggregate.of([(7, 1)]))
    with DataDirectory.open(tmp_path / "copy") as copied:
        async with MetricStore(copied.metrics_url, FixedClock()) as metrics:
            assert (await metrics.read(series, 60, 120, 60))[60].total == 5
