"""One server for everything about access, with functions, another account and a command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from access_site import OTHER, REGION, Site, root_key
from served import Server


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    directory = Path(tempfile.mkdtemp(prefix="ingle-test-"))
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    assert server.stop() == 0
    server.others[OTHER] = root_key(server, OTHER)
    server.start()
    yield Site(server)
    status = server.stop()
    shutil.rmtree(directory)
    assert status == 0


@pytest.fixture(scope="session")
def function(site: Site) -> str:
    """A function that calls services; where it cannot, what needs it is skipped."""
    name = site.function()
    site.ask(name, secrets=True)
    return name


@pytest.fixture(scope="session")
def other(site: Site) -> Site:
    """The root of another account."""
    there = Site(site.server, site.server.others[OTHER])
    assert there.sts.get_caller_identity()["Account"] == "222222222222"
    return there


@pytest.fixture(scope="session")
def run(site: Site) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a module with the root's credentials, or with others."""

    def run(*command: str, keys: tuple[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        key, secret = keys or site.root
        environment = {
            **os.environ, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": site.server.url,
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, check=False
        )

    return run
