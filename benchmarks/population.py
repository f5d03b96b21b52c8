"""A data directory with 10,000 functions, as a server would leave it: as many requests would take minutes."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import HELLO, ROLE, zipped
from ingle.catalog.keys import KeyCatalog
from ingle.domain import lifecycle
from ingle.domain.caller import Caller
from ingle.domain.clock import RandomIds, SystemClock
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, LoggingConfig, Package
from ingle.encryption.master import MasterKeys
from ingle.master_key.finding import open_ring
from ingle.settings import Settings
from ingle.storage.blobs import blob_path
from ingle.storage.data_directory import DataDirectory
from ingle.storage.sql import SqlStore
from ingle.supporting.kms.access import Everybody
from ingle.supporting.kms.records import KeyRecords
from ingle.supporting.kms.service import Kms
from ingle.supporting.kms.use import KeyUse
from ingle.supporting.variables import FunctionVariables

COUNT = 10_000
VERSIONS = 3
#: One tag of every function has as many values.
TEAMS = 10

_CALLER = Caller(account="000000000000", region="us-east-1")
_ids = RandomIds()


def name_of(number: int) -> str:
    return f"function-{number:05}"


def fill(directory: Path, runtime: str) -> None:
    """Active functions with encrypted variables, tags, and published versions that each have a package of their own."""
    with DataDirectory.open(directory) as data:
        for number in range(256):
            (data.blobs / f"{number:02x}").mkdir(parents=True)
        asyncio.run(_fill(data, runtime))


async def _fill(data: DataDirectory, runtime: str) -> None:
    ring = open_ring(Settings(data_dir=data.path))
    async with SqlStore(data.database_url, ring) as store:
        kms = Kms(KeyUse(KeyRecords(store, KeyCatalog(), MasterKeys(ring), SystemClock(), _ids), Everybody()))
        variables = FunctionVariables(kms.use, kms.grants)
        made = [await _function(data.blobs, number, runtime, variables) for number in range(COUNT)]
        async with asyncio.TaskGroup() as group:
            for function in made:
                group.create_task(store.insert(function))


async def _function(blobs: Path, number: int, runtime: str, variables: FunctionVariables) -> Function:
    """Created, and then published and updated in turn."""
    key, now = (
        FunctionKey(account=_CALLER.account, region=_CALLER.region, name=name_of(number)),
        int(time.time() * 1000),
    )
    readable = {"STAGE": "production", "TABLE": f"table-of-{key.name}"}
    first = Configuration(
        runtime=runtime,
        handler="app.handler",
        role=ROLE,
        package=_package(blobs, f"{key.name} 0"),
        environment=await variables.seal(_CALLER, key, None, readable),
        logging=LoggingConfig(group=f"/aws/lambda/{key.name}"),
    )
    function = _published(lifecycle.created(key, LATEST, first, revision_id=_ids.uuid(), now_ms=now), now)
    for version in range(1, VERSIONS):
        changed = replace(first, package=_package(blobs, f"{key.name} {version}"))
        function = _published(lifecycle.updating(function, changed, revision_id=_ids.uuid(), now_ms=now), now)
    return replace(function, tags={"stage": "production", "team": f"team-{number % TEAMS}"})


def _published(function: Function, now: int) -> Function:
    ready = lifecycle.prepared(function, revision_id=_ids.uuid())
    return lifecycle.publishing(ready, description=None, revision_id=_ids.uuid(), now_ms=now)


def _package(blobs: Path, content: str) -> Package:
    made = zipped({"app.py": HELLO, "name": content})
    package = Package(digest=hashlib.sha256(made).hexdigest(), size=len(made), unzipped=len(HELLO) + len(content))
    blob_path(blobs, package.digest).write_bytes(made)
    return package
