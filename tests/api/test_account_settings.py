"""GetAccountSettings over the API: the figures are those of what an account really has, through every change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from served import OFTEN, Server, create_function, package, settle

SOURCE = "def handler(event, context):\n    return event\n"


@dataclass(frozen=True)
class Usage:
    functions: int = 0
    code: int = 0
    unreserved: int = 1000


def usage(client: Any) -> Usage:
    settings = client.get_account_settings()
    limit = settings["AccountLimit"]
    assert (limit["CodeSizeUnzipped"], limit["CodeSizeZipped"]) == (262_144_000, 52_428_800)
    assert (limit["TotalCodeSize"], limit["ConcurrentExecutions"]) == (80_530_636_800, 1000)
    used = settings["AccountUsage"]
    return Usage(used["FunctionCount"], used["TotalCodeSize"], limit["UnreservedConcurrentExecutions"])


def test_the_figures_follow_every_change_and_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    assert usage(client) == Usage()
    create_function(client, "f", SOURCE)
    one = client.get_function_configuration(FunctionName="f")["CodeSize"]
    assert usage(client) == Usage(1, one)
    client.publish_version(FunctionName="f")
    assert usage(client) == Usage(1, 2 * one)
    client.publish_version(FunctionName="f")
    client.update_function_configuration(FunctionName="f", Description="no more code")
    settle(client, "f")
    assert usage(client) == Usage(1, 2 * one)
    larger = package({"app.py": SOURCE, "more.txt": "more"})
    client.update_function_code(FunctionName="f", ZipFile=larger, Publish=True)
    client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="2", WaiterConfig=OFTEN)
    settle(client, "f")
    assert usage(client) == Usage(1, one + 2 * len(larger))
    client.update_function_code(FunctionName="f", ZipFile=package({"app.py": SOURCE}), DryRun=True)
    layer = package({"python/lib.py": "VALUE = 1"})
    for _ in range(2):
        client.publish_layer_version(LayerName="l", Content={"ZipFile": layer})
    assert usage(client) == Usage(1, one + 2 * len(larger) + 2 * len(layer))
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=200)
    create_function(client, "g", SOURCE)
    client.publish_version(FunctionName="g")
    client.put_provisioned_concurrency_config(FunctionName="g", Qualifier="1", ProvisionedConcurrentExecutions=2)
    full = Usage(2, 3 * one + 2 * len(larger) + 2 * len(layer), 798)
    assert usage(client) == full
    own_server.crash()
    client = own_server.client("lambda")
    assert usage(client) == full
    assert json.loads(client.invoke(FunctionName="g", Qualifier="1", Payload=b"1")["Payload"].read()) == 1
    client.delete_layer_version(LayerName="l", VersionNumber=1)
    client.delete_function(FunctionName="f", Qualifier="1")
    client.delete_function(FunctionName="g")
    assert usage(client) == Usage(1, 2 * len(larger) + len(layer), 800)
    client.delete_function(FunctionName="f")
    client.delete_layer_version(LayerName="l", VersionNumber=2)
    assert usage(client) == Usage()


def test_each_account_and_region_has_its_own_figures(server: Server) -> None:
    mine, other, elsewhere = (
        server.client("lambda", region, account)
        for region, account in (
            ("sa-east-1", "111122223333"), ("sa-east-1", "444455556666"), ("eu-north-1", "111122223333"),
        )
    )  # fmt: skip
    create_function(mine, "f", SOURCE, Role="arn:aws:iam::111122223333:role/r")
    mine.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=10)
    assert (usage(mine).functions, usage(mine).unreserved) == (1, 990)
    assert [usage(other), usage(elsewhere)] == [Usage(), Usage()]
    mine.delete_function(FunctionName="f")
    assert usage(mine) == Usage()
