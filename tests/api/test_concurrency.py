"""Reserved and provisioned concurrency over the API, as boto3 sees them and as running functions feel them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from served import Server, create_function

Create = Callable[..., str]

OFTEN = {"Delay": 0.05, "MaxAttempts": 200}
SOURCE = """
import os, time
KIND = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    if event.get("exit"):
        os._exit(1)
    return {"kind": KIND, "stream": context.log_stream_name, "version": context.function_version}
"""
#: The name of the process is the end of the function's.
NAMED = (
    """
import ctypes, os
ctypes.CDLL(None).prctl(15, os.environ["AWS_LAMBDA_FUNCTION_NAME"][-15:].encode(), 0, 0, 0)
"""
    + SOURCE
)
BROKEN = 'raise RuntimeError("not today")\n'


def run(client: Any, name: str, **event: Any) -> dict[str, Any]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    document: dict[str, Any] = json.loads(answer["Payload"].read())
    return document


def refusal(call: Callable[..., Any], **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call(**params)
    response: dict[str, Any] = raised.value.response
    return response


def reason(client: Any, name: str) -> str:
    response = refusal(client.invoke, FunctionName=name)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    found: str = response["Reason"]
    return found


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true value of `condition`."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > end:
            assert found
            return found
        time.sleep(0.02)


def provision(client: Any, name: str, qualifier: str, number: int) -> dict[str, Any]:
    """Ask for it and wait until it is READY or FAILED."""
    put = client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=number
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    return settled(client, name, qualifier)


def settled(client: Any, name: str, qualifier: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        return found if found["Status"] != "IN_PROGRESS" else None

    found: dict[str, Any] = until(look)
    return found


def counts(config: dict[str, Any]) -> tuple[int, int, int]:
    return tuple(config[f"{word}ProvisionedConcurrentExecutions"] for word in ("Requested", "Allocated", "Available"))


@contextmanager
def running(client: Any, name: str, seconds: float = 20.0) -> Iterator[threading.Thread]:
    """An invocation runs inside the block; it is cut off at its end, by the function's own time limit at the latest.

    What the block asks for may come before it: it tries again then.
    """

    def run_when_admitted() -> None:
        while True:
            with contextlib.suppress(client.exceptions.TooManyRequestsException):
                run(client, name, sleep=seconds)
                return

    thread = threading.Thread(target=run_when_admitted)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


@pytest.fixture
def published(lambda_client: Any, function: Create) -> str:
    """A function with a version 1."""
    name = function(SOURCE, Timeout=60)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "1"
    return name


def unreserved(client: Any) -> int:
    found: int = client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    return found


# --- reserved ---------------------------------------------------------------------------------------------------------


def test_a_reserve_is_kept_shown_and_taken_out_of_the_accounts_pool(lambda_client: Any, function: Create) -> None:
    name, before = function(SOURCE), unreserved(lambda_client)
    assert "ReservedConcurrentExecutions" not in lambda_client.get_function_concurrency(FunctionName=name)
    put = lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    assert put["ReservedConcurrentExecutions"] == 7
    assert lambda_client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7
    assert lambda_client.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    assert unreserved(lambda_client) == before - 7
    for _ in range(2):
        answer = lambda_client.delete_function_concurrency(FunctionName=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Concurrency" not in lambda_client.get_function(FunctionName=name)
    assert unreserved(lambda_client) == before


def test_a_reserve_of_nothing_stops_a_function(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    assert run(lambda_client, name)["kind"] == "on-demand"
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert reason(lambda_client, name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    lambda_client.delete_function_concurrency(FunctionName=name)
    assert run(lambda_client, name)["kind"] == "on-demand"


def test_a_reserve_is_a_cap_and_is_given_back_however_an_invocation_ends(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE, Timeout=2)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    with running(lambda_client, name):
        until(lambda: refused(lambda_client, name))
    assert "errorType" in run(lambda_client, name, exit=True)
    assert run(lambda_client, name)["kind"] == "on-demand"


def refused(client: Any, name: str) -> bool:
    try:
        client.invoke(FunctionName=name)
    except ClientError as error:
        return bool(error.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded")
    return False


def test_the_unreserved_minimum_stays(lambda_client: Any, function: Create) -> None:
    response = refusal(
        lambda_client.put_function_concurrency, FunctionName=function(SOURCE), ReservedConcurrentExecutions=901
    )
    assert response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
    }
    assert "Type" not in response


# --- provisioned ------------------------------------------------------------------------------------------------------


def test_provisioned_environments_are_initialised_ahead_and_serve_first(
    lambda_client: Any, logs_client: Any, published: str
) -> None:
    config = provision(lambda_client, published, "1", 2)
    assert (config["Status"], counts(config)) == ("READY", (2, 2, 2))

    def reports() -> list[str]:
        events = logs_client.filter_log_events(logGroupName=f"/aws/lambda/{published}")["events"]
        return [item["message"] for item in events if item["message"].startswith("INIT_REPORT")]

    assert len(until(lambda: len(reports()) == 2 and reports())) == 2
    assert run(lambda_client, f"{published}:1")["kind"] == "provisioned-concurrency"
    assert run(lambda_client, published)["kind"] == "on-demand"
    (listed,) = lambda_client.list_provisioned_concurrency_configs(FunctionName=published)[
        "ProvisionedConcurrencyConfigs"
    ]
    assert listed["FunctionArn"].endswith(f"{published}:1")
    assert listed["Status"] == "READY"


def test_what_is_beyond_the_provisioned_ones_runs_on_demand(lambda_client: Any, published: str) -> None:
    provision(lambda_client, published, "1", 1)
    kinds: list[str] = []
    threads = [
        threading.Thread(target=lambda: kinds.append(run(lambda_client, f"{published}:1", sleep=1)["kind"]))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kinds) == ["on-demand", "provisioned-concurrency"]


def test_what_is_provisioned_of_a_reserve_is_not_there_for_other_versions(lambda_client: Any, published: str) -> None:
    lambda_client.put_function_concurrency(FunctionName=published, ReservedConcurrentExecutions=2)
    provision(lambda_client, published, "1", 2)
    assert reason(lambda_client, published) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert run(lambda_client, f"{published}:1")["kind"] == "provisioned-concurrency"
    response = refusal(lambda_client.put_function_concurrency, FunctionName=published, ReservedConcurrentExecutions=1)
    expected = " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2]."
    assert response["Error"]["Message"] == expected


def test_an_environment_that_ends_is_replaced(lambda_client: Any, published: str) -> None:
    provision(lambda_client, published, "1", 1)
    run(lambda_client, f"{published}:1", exit=True)

    def provisioned_again() -> bool:
        return run(lambda_client, f"{published}:1").get("kind") == "provisioned-concurrency"

    until(provisioned_again)
    assert counts(settled(lambda_client, published, "1")) == (1, 1, 1)


def test_a_function_that_cannot_be_initialised_fails_its_allocation(lambda_client: Any, function: Create) -> None:
    name = function(BROKEN)
    lambda_client.publish_version(FunctionName=name)
    config = provision(lambda_client, name, "1", 1)
    assert (config["Status"], config["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert counts(config) == (1, 0, 0)


def test_provisioned_concurrency_follows_an_alias(lambda_client: Any, published: str) -> None:
    lambda_client.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    provision(lambda_client, published, "live", 1)
    assert run(lambda_client, f"{published}:live") == {
        "kind": "provisioned-concurrency", "version": "1", "stream": run(lambda_client, f"{published}:live")["stream"],
    }  # fmt: skip
    lambda_client.update_function_configuration(FunctionName=published, Description="another")
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=published, WaiterConfig=OFTEN)
    assert lambda_client.publish_version(FunctionName=published)["Version"] == "2"
    lambda_client.update_alias(FunctionName=published, Name="live", FunctionVersion="2")
    assert counts(settled(lambda_client, published, "live")) == (1, 1, 1)
    answer = run(lambda_client, f"{published}:live")
    assert (answer["kind"], answer["version"]) == ("provisioned-concurrency", "2")
    until(lambda: run(lambda_client, f"{published}:1")["kind"] == "on-demand")


def test_nothing_is_left_once_it_is_deleted(lambda_client: Any, published: str) -> None:
    before = unreserved(lambda_client)
    provision(lambda_client, published, "1", 3)
    assert unreserved(lambda_client) == before - 3
    for _ in range(2):
        lambda_client.delete_provisioned_concurrency_config(FunctionName=published, Qualifier="1")
    response = refusal(lambda_client.get_provisioned_concurrency_config, FunctionName=published, Qualifier="1")
    assert response["Error"] == {
        "Code": "ProvisionedConcurrencyConfigNotFoundException",
        "Message": "No Provisioned Concurrency Config found for this function",
    }
    assert unreserved(lambda_client) == before
    assert run(lambda_client, f"{published}:1")["kind"] == "on-demand"


def test_the_metrics_of_provisioned_concurrency(server: Server, lambda_client: Any, published: str) -> None:
    provision(lambda_client, published, "1", 1)
    run(lambda_client, f"{published}:1")
    cloudwatch = server.client("cloudwatch")

    def found() -> set[str]:
        dimensions = [
            {"Name": "FunctionName", "Value": published}, {"Name": "Resource", "Value": f"{published}:1"},
        ]  # fmt: skip
        metrics = cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=dimensions)["Metrics"]
        return {item["MetricName"] for item in metrics}

    until(lambda: found() >= {"ProvisionedConcurrencyInvocations", "ProvisionedConcurrencyUtilization"})
    assert "ProvisionedConcurrencySpilloverInvocations" not in found()


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_concurrency_is_there_again_after_a_crash_of_the_server(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE)
    client.publish_version(FunctionName="f")
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=5)
    provision(client, "f", "1", 2)
    own_server.crash()
    client = own_server.client("lambda")
    assert client.get_function_concurrency(FunctionName="f")["ReservedConcurrentExecutions"] == 5
    assert counts(settled(client, "f", "1")) == (2, 2, 2)
    assert run(client, "f:1")["kind"] == "provisioned-concurrency"
    assert unreserved(client) == 995


def test_ten_invocations_a_second_for_each_that_may_run(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", INGLE_INVOCATION_RATE="10").start()
    client = server.client("lambda")
    create_function(client, "f", SOURCE)
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    # Ten at once, and ten more for each second that they take: hundreds are too many wherever this runs.
    with pytest.raises(client.exceptions.TooManyRequestsException) as raised:
        for _ in range(1000):
            client.invoke(FunctionName="f", Payload=b"{}")
    assert raised.value.response["Reason"] == "ReservedFunctionInvocationRateLimitExceeded"
    client.delete_function_concurrency(FunctionName="f")
    assert run(client, "f")["kind"] == "on-demand"
    assert server.stop() == 0


def test_processes_that_are_killed_leave_the_counts_right(lambda_client: Any, function: Create) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can kill the processes of functions")
    name = function(NAMED, Timeout=60)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    provision(lambda_client, name, "1", 1)
    for _ in range(3):
        with running(lambda_client, f"{name}:1", seconds=50) as invocation:
            until(lambda: refused(lambda_client, f"{name}:1"))

            def ended() -> bool:
                # What is killed before the function has begun is only a reason to take another environment.
                for process in named(name[-15:]):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                return not invocation.is_alive()

            until(ended)
    until(lambda: run(lambda_client, f"{name}:1").get("kind") == "provisioned-concurrency")
    assert counts(settled(lambda_client, name, "1")) == (1, 1, 1)


def test_an_idle_environment_that_is_killed_is_replaced(lambda_client: Any, function: Create) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can kill the processes of functions")
    name = function(NAMED)
    lambda_client.publish_version(FunctionName=name)
    provision(lambda_client, name, "1", 2)
    before = set(named(name[-15:]))
    assert len(before) == 2
    for process in before:
        os.kill(process, signal.SIGKILL)

    def replaced() -> bool:
        # Where the kernel cannot kill a frozen process, it ends when an invocation thaws it: one of the two does.
        run(lambda_client, f"{name}:1")
        return bool(set(named(name[-15:])) - before)

    until(replaced)
    assert counts(settled(lambda_client, name, "1")) == (2, 2, 2)


def named(name: str) -> list[int]:
    """The processes of this name."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                if (path / "comm").read_text().strip() == name:
                    found.append(int(path.name))
    return found
