"""The shares of an alias with two versions, over so many invocations that chance is no excuse."""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from raw import Answer, connected, invoke_often
from served import Server, settle

Create = Callable[..., str]

SOURCE = "def handler(event, context):\n    return context.function_version\n"
INVOCATIONS = 10_000


@pytest.fixture
def routed(lambda_client: Any, function: Create) -> str:
    """A function with the versions 1 and 2, and the alias `live` of the first."""
    name = function(SOURCE)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.update_function_configuration(FunctionName=name, Description="another")
    settle(lambda_client, name)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "2"
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def weigh(client: Any, name: str, weight: float) -> None:
    """Give version 2 this share, and version 1 the rest."""
    client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": weight}})


def ran(answer: Answer) -> str:
    """The version that ran, which the header and the function itself agree about."""
    assert (answer.status, answer.failed) == (200, False), answer
    assert json.loads(answer.body) == answer.version
    assert answer.version is not None
    return answer.version


def test_ten_thousand_invocations_are_shared_out_by_weight(server: Server, lambda_client: Any, routed: str) -> None:
    weight = 0.3
    weigh(lambda_client, routed, weight)
    counted = Counter(ran(answer) for answer in invoke_often(server.url, routed, "live", INVOCATIONS))
    assert counted.keys() == {"1", "2"}
    assert counted.total() == INVOCATIONS
    # Five standard deviations of the binomial distribution: missed once in 1.7 million runs.
    deviation = math.sqrt(INVOCATIONS * weight * (1 - weight))
    assert abs(counted["2"] - INVOCATIONS * weight) <= 5 * deviation


def test_a_small_share_is_neither_none_nor_regular(server: Server, lambda_client: Any, routed: str) -> None:
    weigh(lambda_client, routed, 0.1)
    with connected(server.url) as connection:
        order = [ran(connection.invoke(routed, "live")) for _ in range(1000)]
    gaps = {len(part) for part in "".join(order).split("2")}
    assert abs(order.count("2") - 100) <= 5 * math.sqrt(1000 * 0.1 * 0.9)
    # A rota of one in ten has one gap or two; independent draws have all sorts.
    assert len(gaps) > 10


def test_a_shift_takes_effect_at_once_beside_other_invocations(server: Server, lambda_client: Any, routed: str) -> None:
    finished = threading.Event()
    others: list[str] = []

    def invoke() -> None:
        with connected(server.url) as connection:
            while not finished.is_set():
                others.append(ran(connection.invoke(routed, "live")))

    threads = [threading.Thread(target=invoke) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        with connected(server.url) as connection:
            for turn in range(40):
                weigh(lambda_client, routed, float(turn % 2))
                assert ran(connection.invoke(routed, "live")) == ("2" if turn % 2 else "1")
            for turn in range(40):
                main = "2" if turn % 2 else "1"
                lambda_client.update_alias(FunctionName=routed, Name="live", FunctionVersion=main, RoutingConfig={})
                assert ran(connection.invoke(routed, "live")) == main
    finally:
        finished.set()
        for thread in threads:
            thread.join()
    assert set(others) == {"1", "2"}
