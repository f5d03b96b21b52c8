"""DescribeConcurrency of Ingle's own service, as its users see it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from served import create_function, plain, refusal, settle

ACCOUNT = "333333333333"
ECHO = "def handler(event, context):\n    return event\n"
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event)\n"


@pytest.fixture(scope="module")
def lambda_(server):
    """Of an account that nobody else uses."""
    return server.client("lambda", account=ACCOUNT)


@pytest.fixture(scope="module")
def client(server):
    return server.client("ingle", account=ACCOUNT)


def pool(answer):
    return [answer[name] for name in ("Limit", "Claimed", "Unreserved", "InUse", "UnreservedInUse")]


def wait_for(client, name, in_use):
    until = time.monotonic() + 20
    while (found := client.describe_concurrency(FunctionName=name))["Functions"][0]["InUse"] != in_use:
        assert time.monotonic() < until
    return found


def test_the_pool_is_told_with_what_functions_have_of_it(client, lambda_):
    assert plain(client.describe_concurrency()) == {
        "Limit": 1000, "Claimed": 0, "Unreserved": 1000, "InUse": 0, "UnreservedInUse": 0, "Functions": []
    }  # fmt: skip
    for name in ("plain", "reserved", "provisioned"):
        create_function(lambda_, name, SLOW, Timeout=30)
    lambda_.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=20)
    lambda_.publish_version(FunctionName="provisioned")
    settle(lambda_, "provisioned")
    lambda_.create_alias(FunctionName="provisioned", Name="live", FunctionVersion="1")
    lambda_.put_provisioned_concurrency_config(
        FunctionName="provisioned", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    get = lambda_.get_provisioned_concurrency_config
    while get(FunctionName="provisioned", Qualifier="live")["Status"] == "IN_PROGRESS":
        pass
    found = client.describe_concurrency()
    assert pool(found) == [1000, 21, 979, 0, 0]
    ready = {"Version": "1", "Requested": 1, "Allocated": 1, "Available": 1, "InUse": 0, "Status": "READY"}
    assert found["Functions"] == [
        {"FunctionName": "provisioned", "InUse": 0, "Provisioned": [ready]},
        {"FunctionName": "reserved", "Reserved": 20, "InUse": 0, "Provisioned": []},
    ]

    with ThreadPoolExecutor(4) as threads:
        running = [
            threads.submit(lambda_.invoke, FunctionName=name, Payload="6")
            for name in ("plain", "reserved", "provisioned:live", "provisioned:live")
        ]
        for name, number in (("plain", 1), ("reserved", 1), ("provisioned", 2)):
            found = wait_for(client, name, number)
        assert not any(item.done() for item in running)
        assert pool(found) == [1000, 21, 979, 4, 2]
        assert found["Functions"][0]["Provisioned"] == [{**ready, "InUse": 1}]
        names = [item["FunctionName"] for item in client.describe_concurrency()["Functions"]]
        assert names == ["plain", "provisioned", "reserved"]
        for item in running:
            assert "FunctionError" not in item.result()
    assert pool(client.describe_concurrency()) == [1000, 21, 979, 0, 0]


def test_pages_have_every_function_once(client, lambda_):
    names = [f"paged{number}" for number in range(5)]
    for name in names:
        create_function(lambda_, name, ECHO)
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    pages = client.get_paginator("describe_concurrency").paginate(PaginationConfig={"PageSize": 2})
    found = [item["FunctionName"] for page in pages for item in page["Functions"]]
    assert [name for name in found if name.startswith("paged")] == names
    lambda_.delete_function_concurrency(FunctionName="paged0")
    lambda_.delete_function(FunctionName="paged1")
    left = [item["FunctionName"] for item in client.describe_concurrency()["Functions"]]
    assert [name for name in left if name.startswith("paged")] == names[2:]


def test_what_cannot_be_meant_is_refused(client):
    assert refusal(client.describe_concurrency, FunctionName="nobody")[1] == "ResourceNotFoundException"
    assert refusal(client.describe_concurrency, NextToken="?")[1] == "InvalidParameterValueException"
