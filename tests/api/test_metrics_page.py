"""The page for Prometheus of a served instance."""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request

import pytest

from ingle.frontend.metrics_page import CATALOGUE

SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')


def read(url, **headers):
    request = urllib.request.Request(url + "/_ingle/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()


def samples(text, name, **labels):
    found = {}
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match and match[1] == name:
            pairs = dict(re.findall(r'([a-z_]+)="([^"]*)"', match[2] or ""))
            if all(pairs.get(key) == value for key, value in labels.items()):
                found[tuple(pairs.items())] = float(match[3])
    return found


def test_every_line_is_of_the_format_and_every_metric_is_there(endpoint):
    text = read(endpoint)
    assert text.endswith("\n")
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert types == {family.name: family.kind for family in CATALOGUE}
    for line in text.splitlines():
        assert line.startswith("# ") or SAMPLE.match(line), line


def test_invocations_are_counted_by_function_and_version(endpoint, lambda_client, function):
    name = function("def handler(event, context):\n    return 1 / event['by']\n")
    for by in (1, 0, 2):
        lambda_client.invoke(FunctionName=name, Payload=json.dumps({"by": by}))
    text = read(endpoint)
    labels = {"function": name, "account": "000000000000", "region": "us-east-1", "version": "$LATEST"}
    for metric, expected in (("invocations", 3), ("errors", 1), ("throttles", 0)):
        assert list(samples(text, f"ingle_function_{metric}_total", **labels).values()) == [expected]
    assert list(samples(text, "ingle_function_duration_seconds_count", **labels).values()) == [3]
    assert list(samples(text, "ingle_function_init_duration_seconds_count", **labels).values()) == [1]
    buckets = list(samples(text, "ingle_function_duration_seconds_bucket", **labels).values())
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3
    assert list(samples(text, "ingle_function_running", function=name).values()) == [0]


def test_metrics_of_a_function_end_with_it(endpoint, lambda_client, zip_of):
    name = "short-lived"
    lambda_client.create_function(
        FunctionName=name, Runtime=f"python3.{sys.version_info.minor}", Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": zip_of({"app.py": "def handler(event, context):\n    return 1\n"})},
    )  # fmt: skip
    lambda_client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    lambda_client.invoke(FunctionName=name)
    assert samples(read(endpoint), "ingle_function_invocations_total", function=name)
    lambda_client.delete_function(FunctionName=name)
    assert not samples(read(endpoint), "ingle_function_invocations_total", function=name)


def test_the_server_tells_of_itself(endpoint, lambda_client, function):
    lambda_client.invoke(FunctionName=function("def handler(event, context):\n    return 1\n"))
    text = read(endpoint)
    environments = samples(text, "ingle_environments")
    assert {dict(labels)["state"] for labels in environments} >= {"starting", "idle", "busy", "frozen"}
    assert sum(environments.values()) >= 1
    for name in ("ingle_zygotes", "ingle_disk_free_bytes", "ingle_disk_size_bytes", "process_resident_memory_bytes",
                 "process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"):  # fmt: skip
        (value,) = samples(text, name).values()
        assert value > 0, name
    for name in ("ingle_log_lines_dropped_total", "ingle_metric_points_dropped_total", "ingle_disk_full"):
        assert list(samples(text, name).values()) == [0], name


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_foreign_web_pages_are_refused(endpoint, headers):
    with pytest.raises(urllib.error.HTTPError) as caught:
        read(endpoint, **headers)
    assert caught.value.code == 403
    assert b"ingle_" not in caught.value.read()


def test_functions_are_refused(lambda_client, function):
    name = function("""
import os, urllib.error, urllib.request
def handler(event, context):
    try:
        return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_ingle/metrics", timeout=5).read().decode()
    except urllib.error.HTTPError as error:
        return error.code
""")
    answer = lambda_client.invoke(FunctionName=name)
    assert json.loads(answer["Payload"].read()) == 403
