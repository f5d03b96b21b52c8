"""Many callers who change one function at the same time: refusals as AWS's, and memory and disk agree in the end."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from served import OFTEN, Server, create_function, package, plain, settle

SOURCE = "def handler(event, context):\n    return %d\n"
CALLERS, EACH = 6, 60
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
#: What calls end in. Invocations are throttled beside a small reserve.
EXPLAINED = {
    "done", "ResourceConflictException", "ResourceNotFoundException", "InvalidParameterValueException",
    "TooManyRequestsException",
}  # fmt: skip
Call = Callable[[Any, random.Random], Any]

CALLS: list[Call] = [
    lambda client, draw: client.update_function_code(
        FunctionName="f", ZipFile=package({"app.py": SOURCE % draw.randrange(9)}), Publish=draw.random() < 0.5
    ),
    lambda client, draw: client.update_function_configuration(FunctionName="f", Timeout=draw.randint(1, 9)),
    lambda client, draw: client.publish_version(FunctionName="f"),
    lambda client, draw: client.delete_function(FunctionName="f", Qualifier=str(draw.randint(1, 9))),
    lambda client, draw: client.create_alias(
        FunctionName="f", Name=draw.choice("ab"), FunctionVersion=str(draw.randint(1, 9))
    ),
    lambda client, draw: client.update_alias(
        FunctionName="f", Name=draw.choice("ab"), FunctionVersion=str(draw.randint(1, 9)),
        RoutingConfig={"AdditionalVersionWeights": {str(draw.randint(1, 9)): 0.5}},
    ),
    lambda client, draw: client.delete_alias(FunctionName="f", Name=draw.choice("ab")),
    lambda client, draw: client.put_function_concurrency(
        FunctionName="f", ReservedConcurrentExecutions=draw.randint(0, 9)
    ),
    lambda client, draw: client.delete_function_concurrency(FunctionName="f"),
    lambda client, draw: client.tag_resource(Resource=ARN, Tags={draw.choice("kl"): draw.choice("vw")}),
    lambda client, draw: client.untag_resource(Resource=ARN, TagKeys=[draw.choice("kl")]),
    lambda client, draw: client.add_permission(
        FunctionName="f", StatementId=draw.choice("st"), Action="lambda:InvokeFunction", Principal="*"
    ),
    lambda client, draw: client.remove_permission(FunctionName="f", StatementId=draw.choice("st")),
    lambda client, draw: client.create_function_url_config(FunctionName="f", AuthType="NONE"),
    lambda client, draw: client.delete_function_url_config(FunctionName="f"),
    lambda client, draw: client.put_function_event_invoke_config(
        FunctionName="f", Qualifier=draw.choice(["$LATEST", "a", "1", "2"]), MaximumRetryAttempts=draw.randint(0, 2)
    ),
    lambda client, draw: client.put_function_recursion_config(
        FunctionName="f", RecursiveLoop=draw.choice(["Allow", "Terminate"])
    ),
    lambda client, draw: client.put_runtime_management_config(
        FunctionName="f", UpdateRuntimeOn=draw.choice(["Auto", "FunctionUpdate"])
    ),
    lambda client, draw: client.invoke(FunctionName="f", Qualifier=draw.choice(["$LATEST", "a", "1"])),
]  # fmt: skip
#: What is rarer, since it begins everything anew.
ANEW: list[Call] = [
    lambda client, draw: client.delete_function(FunctionName="f"),
    lambda client, draw: create_function(client, "f", SOURCE % 0),
]


def everything(client: Any) -> list[Any]:
    """All that the API tells of the function."""
    name = {"FunctionName": "f"}
    versions = client.list_versions_by_function(**name)["Versions"]
    told = [client.get_function_configuration(FunctionName="f", Qualifier=one["Version"]) for one in versions]
    told += [
        getattr(client, operation)(**name)
        for operation in (
            "list_aliases", "get_function_concurrency", "list_function_event_invoke_configs",
            "list_function_url_configs", "get_function_recursion_config", "get_runtime_management_config",
        )
    ]  # fmt: skip
    told += [client.list_tags(Resource=ARN), client.get_account_settings()]
    try:
        told.append(client.get_policy(**name))
    except client.exceptions.ResourceNotFoundException:
        told.append({})
    # The port of a URL's address is the server's, which is another one after a restart.
    return [
        json.loads(re.sub(r"localhost:\d+/", "localhost/", json.dumps(plain(answer), default=str))) for answer in told
    ]


def test_changes_at_the_same_time_leave_one_truth(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE % 0, Publish=True)

    def call_at_random(seed: int) -> Counter[str]:
        draw, own = random.Random(seed), own_server.client("lambda")
        ended: Counter[str] = Counter()
        for _ in range(EACH):
            try:
                draw.choice(ANEW if draw.random() < 0.02 else CALLS)(own, draw)
                ended["done"] += 1
            except ClientError as error:
                ended[error.response["Error"]["Code"]] += 1
        return ended

    with ThreadPoolExecutor(CALLERS) as pool:
        ended = sum(pool.map(call_at_random, range(CALLERS)), Counter())
    assert set(ended) <= EXPLAINED, ended
    assert ended["done"] > CALLERS * EACH / 10, ended
    if "f" not in [function["FunctionName"] for function in client.list_functions()["Functions"]]:
        create_function(client, "f", SOURCE % 0)
    settle(client, "f")
    for version in client.list_versions_by_function(FunctionName="f")["Versions"][1:]:
        waiter = client.get_waiter("published_version_active")
        waiter.wait(FunctionName="f", Qualifier=version["Version"], WaiterConfig=OFTEN)
    before = everything(client)
    own_server.crash()
    assert everything(own_server.client("lambda")) == before


def test_one_of_many_gets_each_name(own_server: Server) -> None:
    """Creations of one name at the same time: one succeeds, the others are told of the conflict."""
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE % 0, Publish=True)

    def at_once(call: Call) -> Counter[str]:
        def run(seed: int) -> str:
            try:
                call(own_server.client("lambda"), random.Random(seed))
            except ClientError as error:
                return str(error.response["Error"]["Code"])
            return "done"

        with ThreadPoolExecutor(CALLERS) as pool:
            return Counter(pool.map(run, range(CALLERS)))

    won = {"done": 1, "ResourceConflictException": CALLERS - 1}
    assert at_once(lambda client, _: create_function(client, "g", SOURCE % 0)) == won
    assert at_once(lambda client, _: client.create_alias(FunctionName="f", Name="a", FunctionVersion="1")) == won
    assert at_once(lambda client, _: client.create_function_url_config(FunctionName="f", AuthType="NONE")) == won
    grant = {"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}
    assert at_once(lambda client, _: client.add_permission(**grant)) == won
    seen = client.get_function_configuration(FunctionName="f")["RevisionId"]
    changed = at_once(
        lambda client, draw: client.update_function_configuration(
            FunctionName="f", Timeout=draw.randint(1, 900), RevisionId=seen
        )
    )
    assert changed == {"done": 1, "PreconditionFailedException": CALLERS - 1}
    settle(client, "f")
    published = at_once(lambda client, _: client.publish_version(FunctionName="f"))
    assert published == {"done": CALLERS}
    assert [one["Version"] for one in client.list_versions_by_function(FunctionName="f")["Versions"]] == [
        "$LATEST", "1", "2",
    ]  # fmt: skip
    claimed = at_once(
        lambda client, draw: client.put_function_concurrency(
            FunctionName=draw.choice("fg"), ReservedConcurrentExecutions=451
        )
    )
    assert claimed["done"] >= 1
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] >= 100
