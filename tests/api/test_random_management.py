"""Management operations at random beside running invocations, with kill -9 in between, against a model of the truth.

What is drawn follows from a seed, which a failure prints; `INGLE_TEST_SEED` repeats it as far as threads allow.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from botocore.exceptions import BotoCoreError

from churn import ABSENT, LATEST, PENDING, Alias, Config, Timelines
from operators import ALIASES, LayerOperator, Operator, World
from raw import Answer, connected
from served import Server

NAMES = ("a", "b", "c")
#: Operations between two crashes.
OPERATIONS = 250
PHASES = 3


class Worker(threading.Thread):
    """Repeats `step` until the world stops, or its server is gone."""

    def __init__(self, world: World, label: str, phase: int) -> None:
        super().__init__(name=label)
        self.world = world
        self.random = random.Random(f"{world.seed} {label} {phase}")
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.world.stop.is_set():
                self.step()
        except (BotoCoreError, HTTPException, OSError) as error:
            if not self.world.stop.is_set():
                self.failure = error
        except BaseException as error:
            self.failure = error
        finally:
            if self.failure is not None:
                self.world.enough.set()

    def step(self) -> None:
        raise NotImplementedError


class Changing(Worker):
    """One of them changes layers as well."""

    def __init__(self, world: World, operator: Operator, beside: LayerOperator, client: Any, phase: int) -> None:
        super().__init__(world, f"operator {operator.name}", phase)
        self.operator, self.beside = operator, beside
        operator.begin(client, self.random)
        if operator.name == NAMES[0]:
            beside.begin(client, self.random)

    def step(self) -> None:
        self.operator.step()
        if self.operator.name == NAMES[0]:
            self.beside.step()


@dataclass(frozen=True)
class Invocation:
    function: str
    qualifier: str | None
    exits: bool
    start: float
    end: float
    answer: Answer


class Invoking(Worker):
    def __init__(self, world: World, url: str, number: int, phase: int) -> None:
        super().__init__(world, f"invoker {number}", phase)
        self.url = url
        self.invocations: list[Invocation] = []

    def run(self) -> None:
        with connected(self.url) as self.connection:
            super().run()

    def step(self) -> None:
        function = self.random.choice(NAMES)
        qualifier = self.random.choice([None, LATEST, *ALIASES, str(self.random.randint(1, 6))])
        exits = self.random.random() < 0.02
        start = time.monotonic()
        answer = self.connection.invoke(function, qualifier, json.dumps({"exit": exits}).encode())
        self.invocations.append(Invocation(function, qualifier, exits, start, time.monotonic(), answer))


def problem(invocation: Invocation, seen: Timelines) -> str | None:
    """What is wrong with an answer, by what was possible while it was on its way."""
    answer, qualifier = invocation.answer, invocation.qualifier or LATEST

    def possible(name: str) -> set[Any]:
        return seen.possible(name, invocation.start, invocation.end)

    targets = possible(qualifier)
    versions = {version for target in targets if isinstance(target, Alias) for version in target.versions}
    if qualifier not in ALIASES:
        versions = {qualifier}
    configs = {version: possible(version) for version in versions}
    if answer.status == 404:
        gone = ABSENT in targets or any(ABSENT in found for found in configs.values())
        return None if gone else "not found, but it was there"
    if answer.status == 409:
        return None if any(PENDING in found for found in configs.values()) else "refused for a state"
    if answer.status == 429:
        return None if possible("reserved") != {None} else "throttled without a reserve"
    if answer.status != 200:
        return "a status that nothing explains"
    if answer.failed:
        return None if invocation.exits and b"Runtime.ExitError" in answer.body else "failed"
    document = json.loads(answer.body)
    if answer.version not in versions or document["version"] != answer.version:
        return f"ran {answer.version}, but only {versions} were possible"
    if len(document["words"]) != 1:
        return "variables changed under the code"
    ran = Config(document["code"], document["words"][0], document["layer"])
    return None if ran in configs[answer.version] else f"ran {ran}, but only {configs[answer.version]} were possible"


def test_nothing_that_is_acknowledged_is_lost_mixed_or_given_twice(own_server: Server) -> None:
    seed = int(os.environ.get("INGLE_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"INGLE_TEST_SEED={seed}")
    world = World(seed)
    operators = {name: Operator(world, name) for name in NAMES}
    layers = LayerOperator(world)
    invocations: list[Invocation] = []
    for phase in range(PHASES):
        last = phase == PHASES - 1
        invocations += run_phase(own_server, world, list(operators.values()), layers, phase, crash=not last)
        if not last:
            own_server.start()
        client = own_server.client("lambda")
        for operator in (*operators.values(), layers):
            operator.reconcile(client)
    print(world.operations)
    for one in invocations:
        seen = operators[one.function].timelines
        why = problem(one, seen)
        assert why is None, f"{why}: {one}\n{seen.told(one.start)}"
    assert Counter(one.answer.status for one in invocations)[200] > OPERATIONS / 5
    assert_counts_are_right(own_server, operators, world)
    assert_versions_are_what_they_were(own_server, operators)


def run_phase(
    server: Server, world: World, operators: list[Operator], layers: LayerOperator, phase: int, *, crash: bool
) -> list[Invocation]:
    world.stop.clear()
    world.enough.clear()
    world.limit = world.operations.total() + OPERATIONS
    invokers = [Invoking(world, server.url, number, phase) for number in range(3)]
    workers = [*invokers, *(Changing(world, one, layers, server.client("lambda"), phase) for one in operators)]
    for worker in workers:
        worker.start()
    world.enough.wait()
    world.stop.set()
    if crash:
        server.kill()
    for worker in workers:
        worker.join()
    for worker in workers:
        if worker.failure is not None:
            raise worker.failure
    return [invocation for invoker in invokers for invocation in invoker.invocations]


def assert_counts_are_right(server: Server, operators: Mapping[str, Operator], world: World) -> None:
    client = server.client("lambda")
    there = {name: operator.model for name, operator in operators.items() if operator.model.latest is not None}
    settings = client.get_account_settings()
    assert settings["AccountUsage"] == {
        "FunctionCount": len(there),
        "TotalCodeSize": sum(model.code_size for model in there.values()) + sum(world.layers.values()),
    }
    claimed = sum(model.claimed for model in there.values())
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000 - claimed
    pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 3})
    listed = [(entry["FunctionName"], entry["Version"]) for page in pages for entry in page["Functions"]]
    assert listed == [
        (name, version) for name in sorted(there) for version in (LATEST, *sorted(there[name].versions, key=int))
    ]
    with urllib.request.urlopen(f"{server.url}/_ingle/metrics") as page:
        lines = page.read().decode().splitlines()
    assert {line.rpartition(" ")[2] for line in lines if line.startswith("ingle_function_running{")} <= {"0"}


def assert_versions_are_what_they_were(server: Server, operators: Mapping[str, Operator]) -> None:
    """Each runs, through one slot of reserved concurrency: nothing that has ended still counts."""
    client = server.client("lambda")
    with connected(server.url) as connection:
        for name, operator in operators.items():
            if operator.model.latest is None:
                continue
            for qualifier in operator.model.provisioned:
                client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
            for version, config in {LATEST: operator.model.latest, **operator.model.versions}.items():
                answer = connection.invoke(name, version)
                assert answer.status == 200, answer
                assert json.loads(answer.body) == {
                    "code": config.code, "words": [config.word], "layer": config.layer, "version": version,
                }  # fmt: skip
