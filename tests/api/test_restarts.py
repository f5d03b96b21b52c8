"""What outlives the server: every function that was acknowledged, and the trees of its packages."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from served import Server, package

SOURCE = "def handler(event, context):\n    return 'served'\n"
CREATORS = 4


def create(client: Any, name: str) -> None:
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": package({"app.py": SOURCE, "name": name})},
    )  # fmt: skip


def test_a_kill_loses_none_of_the_functions_that_many_create_at_once(own_server: Server) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def keep_creating(creator: int) -> None:
        with closing(own_server.client("lambda")) as client:
            for number in itertools.count():
                try:
                    create(client, f"f-{creator}-{number}")
                except (BotoCoreError, ClientError):
                    return  # the server is gone
                acknowledged.append(f"f-{creator}-{number}")
                if len(acknowledged) == 40:
                    enough.set()

    with ThreadPoolExecutor(CREATORS) as creators:
        running = [creators.submit(keep_creating, creator) for creator in range(CREATORS)]
        assert enough.wait(60)
        own_server.kill()
    assert [creator.exception() for creator in running] == [None] * CREATORS
    own_server.start()
    client = own_server.client("lambda")
    pages = client.get_paginator("list_functions").paginate()
    assert set(acknowledged) <= {function["FunctionName"] for page in pages for function in page["Functions"]}
    client.get_waiter("function_active_v2").wait(FunctionName=acknowledged[-1])
    assert client.invoke(FunctionName=acknowledged[-1])["Payload"].read() == b'"served"'


def test_extracted_packages_are_used_again_after_a_restart(own_server: Server) -> None:
    client = own_server.client("lambda")
    create(client, "f")
    client.get_waiter("function_active_v2").wait(FunctionName="f")
    trees = own_server.data_dir / "packages"
    made = {tree.name: tree.stat().st_ino for tree in trees.iterdir() if not tree.name.startswith(".")}
    own_server.stop()
    own_server.start()
    assert own_server.client("lambda").invoke(FunctionName="f")["Payload"].read() == b'"served"'
    assert {tree.name: tree.stat().st_ino for tree in trees.iterdir() if not tree.name.startswith(".")} == made
