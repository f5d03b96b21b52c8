"""What verifying signatures and authorising add to a warm invocation, and what many policies add to that.

Two servers, with and without authentication, take turns, so that what the machine does meets both alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import load
from benchmarks.bench import HELLO, Bench, data_directory, served

#: Bytes of an event.
_PAYLOAD = 2000
_ROLES, _STATEMENTS = 1000, 10
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
}


def access(bench: Bench) -> None:
    with data_directory() as directory, served(directory, INGLE_AUTH="iam") as found:
        guarded = replace(found, keys=_root(found.process))
        iam, url = guarded.client("iam"), guarded.url
        iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(_TRUST))
        keys = _user(iam)
        there = Bench(guarded, bench.runtime, bench.quick)
        here, closed = bench.function(HELLO), there.function(HELLO)
        rounds = (6, 200) if bench.quick else (20, 250)
        open_times, closed_times = _turns(bench.url, here, url, closed, keys, *rounds)
        bench.add("warm, event of 2,000 bytes, --auth none", open_times)
        bench.add("the same, --auth iam, each signed anew", closed_times)
        added = statistics.median(closed_times) - statistics.median(open_times)
        bench.add_value("what authentication adds to the p50", added, "ms", "<= 0.15")
        _many_policies(iam, there.client, closed)
        open_times, closed_times = _turns(bench.url, here, url, closed, keys, *rounds)
        bench.add("the same with 10,000 statements across 1,000 roles", closed_times)
        added = statistics.median(closed_times) - statistics.median(open_times)
        bench.add_value("what authentication adds to the p50 then", added, "ms", "<= 0.15")


def _root(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The key that the first start prints: a line of words, then two of the form NAME=VALUE."""
    assert process.stdout is not None
    _, key, secret = (process.stdout.readline().strip().partition("=")[2] for _ in range(3))
    return key, secret


def _user(iam: Any) -> tuple[str, str]:
    """A user who may invoke functions and nothing else."""
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_user(UserName="bench")
    iam.put_user_policy(UserName="bench", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="bench")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _turns(
    open_url: str, open_function: str, closed_url: str, closed_function: str, keys: tuple[str, str], rounds: int,
    each: int,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Milliseconds of each invocation, after a round that does not count."""
    open_times: list[float] = []
    closed_times: list[float] = []
    for number in range(rounds + 1):
        first = load.one_by_one(open_url, list(_requests(open_url, open_function, ("test", "test"), each)))
        second = load.one_by_one(closed_url, list(_requests(closed_url, closed_function, keys, each)))
        if number:
            open_times += first
            closed_times += second
    return open_times, closed_times


def _requests(url: str, function: str, keys: tuple[str, str], count: int) -> Iterator[bytes]:
    """Requests with events of their own, so that no two have the same signature."""
    for number in range(count):
        event = json.dumps({"number": number, "padding": ""}).encode()
        padded = event.replace(b'""', b'"' + b"x" * (_PAYLOAD - len(event)) + b'"')
        yield load.invocation(url, function, padded, keys=keys)


def _many_policies(iam: Any, client: Any, function: str) -> None:
    """As many statements as that, and a resource policy besides."""
    statements = [
        {"Effect": "Allow", "Action": ["lambda:Get*", f"s3:Get{number}*"], "Resource": f"arn:aws:s3:::b{number}/*"}
        for number in range(_STATEMENTS)
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    for number in range(_ROLES):
        name = f"role{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    client.add_permission(
        FunctionName=function, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
