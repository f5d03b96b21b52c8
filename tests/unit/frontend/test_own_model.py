"""The model of Ingle's own service is one that SDKs and the console understand, and all of it works."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ingle.frontend.forwarding.forwarder import own_services
from ingle.frontend.forwarding.places import Places
from ingle.models import DIRECTORY, FILE
from ingle.operations import implemented_operations
from ingle.wire.model import ServiceModel

MODEL = json.loads(FILE.read_text())
SHAPES, OPERATIONS = MODEL["shapes"], MODEL["operations"]
PAGINATORS = json.loads(FILE.with_name("paginators-1.json").read_text())["pagination"]
CONSOLE = Path(__file__).parents[3] / "console/src/api/ingle.ts"


def members(operation: str, direction: str) -> dict[str, dict[str, str]]:
    return SHAPES[OPERATIONS[operation][direction]["shape"]]["members"]


def test_every_operation_works():
    assert {name for service, name in implemented_operations() if service == "ingle"} == set(OPERATIONS)


def test_shapes_refer_to_shapes_and_each_is_used():
    used = set(re.findall(r'"shape": "(\w+)"', FILE.read_text()))
    assert used == set(SHAPES)
    model = ServiceModel("ingle", MODEL)
    assert all(set(shape.get("required", ())) <= set(model.shape(name).members) for name, shape in SHAPES.items()
               if shape["type"] == "structure")  # fmt: skip


def test_times_of_answers_end_in_at_and_nothing_else_does():
    asked = {operation["input"]["shape"] for operation in OPERATIONS.values()}
    for name, shape in SHAPES.items():
        for member, target in shape.get("members", {}).items():
            if name not in asked:
                assert (SHAPES[target["shape"]]["type"] == "timestamp") == member.endswith("At"), (name, member)


def test_everything_that_has_pages_can_be_paged_through():
    paged = {name for name in OPERATIONS if "NextToken" in members(name, "output")}
    assert set(PAGINATORS) == paged
    for name, pages in PAGINATORS.items():
        assert {pages["input_token"], pages["limit_key"]} <= set(members(name, "input"))
        shown = {pages["output_token"], pages["result_key"], *pages.get("non_aggregate_keys", ())}
        assert shown == set(members(name, "output"))


def test_errors_are_those_that_callers_are_told():
    for name, shape in SHAPES.items():
        if shape.get("exception"):
            assert name.endswith("Exception")
            assert shape["error"]["httpStatusCode"] in (400, 404, 500)
            assert [member.lower() for member in shape["members"]] == ["message"]


def test_the_console_knows_every_operation_and_member():
    text = CONSOLE.read_text()
    for name in OPERATIONS:
        assert re.search(rf"^  {name}: \{{", text, re.MULTILINE), name
        for direction in ("input", "output"):
            for member in members(name, direction):
                assert re.search(rf"readonly {member}\??:", text), (name, member)
    for name in ("Environment", "AuditRecord", "AsyncEvent", "TestEvent", "FunctionConcurrency", "Check"):
        for member in SHAPES[name]["members"]:
            assert re.search(rf"readonly {member}\??:", text), (name, member)


def test_nothing_of_it_is_forwarded_to_a_companion():
    own = own_services(dict.fromkeys(implemented_operations()))
    assert "ingle" in own
    assert Places(own).find("ingle", "localhost") is None
    assert Places(own).find(None, "ingle.us-east-1.localhost") is None


def test_there_is_one_version_of_it():
    assert [path.name for path in (DIRECTORY / "ingle").iterdir()] == [MODEL["metadata"]["apiVersion"]]
