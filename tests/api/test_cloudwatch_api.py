"""The CloudWatch API as boto3 and the AWS CLI use it, in every protocol that clients speak."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from served import Server

DEADLINE_SECONDS = 20
SOURCE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    return "done"
"""


@pytest.fixture(scope="session", params=["json", "query", "smithy-rpc-v2-cbor"])
def cloudwatch(server, request):
    """A client for each protocol that the service model names: botocore speaks the one that it is told to."""
    session = boto3.session.Session()
    loader = session._session.get_component("data_loader")
    model = {**loader.load_service_model("cloudwatch", "service-2")}
    model["metadata"] = {**model["metadata"], "protocol": request.param, "protocols": [request.param]}
    loader._cache[("load_service_model", "cloudwatch", "service-2", None)] = model
    original = loader.load_service_model

    def load(service, kind, api_version=None):
        return model if (service, kind) == ("cloudwatch", "service-2") else original(service, kind, api_version)

    loader.load_service_model = load
    client = session.client(
        "cloudwatch", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip
    sent = []
    client.meta.events.register("before-send.cloudwatch", lambda request, **_: sent.append(request))
    client.list_metrics(Namespace="none")
    expected = {"json": "application/x-amz-json-1.0", "query": "application/x-www-form-urlencoded; charset=utf-8"}
    wanted = expected.get(request.param, "application/cbor")
    found = sent[0].headers["Content-Type"]
    assert (found.decode() if isinstance(found, bytes) else found) == wanted
    return client


def hour():
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=30), "EndTime": now + timedelta(minutes=30)}


def of(name, *more):
    pairs = [("FunctionName", name), *more]
    return [{"Name": key, "Value": value} for key, value in pairs]


def total(cloudwatch, name, dimensions, statistic="Sum"):
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=name, Dimensions=dimensions, Period=3600, Statistics=[statistic], **hour()
    )["Datapoints"]
    return sum(point[statistic] for point in points)


def test_invocations_are_counted_with_their_errors_durations_and_starts(cloudwatch, lambda_client, function):
    name = function(SOURCE)
    for fail in (False, False, True):
        lambda_client.invoke(FunctionName=name, Payload=json.dumps({"fail": fail}))
    for dimensions in (of(name), of(name, ("Resource", name))):
        assert total(cloudwatch, "Invocations", dimensions) == 3
        assert total(cloudwatch, "Errors", dimensions) == 1
        assert total(cloudwatch, "Throttles", dimensions) == 0
        assert total(cloudwatch, "Duration", dimensions, "SampleCount") == 3
        assert total(cloudwatch, "InitDuration", dimensions, "SampleCount") == 1
        assert 0 < total(cloudwatch, "Duration", dimensions, "Average") < 60_000
    assert total(cloudwatch, "ConcurrentExecutions", of(name), "Maximum") == 1
    assert total(cloudwatch, "Invocations", []) >= 3


def test_an_invocation_by_a_qualifier_is_counted_for_what_it_led_to(cloudwatch, lambda_client, function):
    name = function(SOURCE)
    lambda_client.invoke(FunctionName=name, Qualifier="$LATEST")
    resource = ("Resource", f"{name}:$LATEST")
    assert total(cloudwatch, "Invocations", of(name, resource)) == 1
    assert total(cloudwatch, "Invocations", of(name, resource, ("ExecutedVersion", "$LATEST"))) == 1
    assert total(cloudwatch, "Invocations", of(name, ("Resource", name))) == 0


def test_percentiles_lie_between_the_shortest_and_the_longest_duration(cloudwatch, lambda_client, function):
    name = function(SOURCE)
    for _ in range(5):
        lambda_client.invoke(FunctionName=name)
    ask = {"Namespace": "AWS/Lambda", "MetricName": "Duration", "Dimensions": of(name), "Period": 3600, **hour()}
    (extended,) = cloudwatch.get_metric_statistics(ExtendedStatistics=["p50", "p99", "p100"], **ask)["Datapoints"]
    (simple,) = cloudwatch.get_metric_statistics(Statistics=["Minimum", "Maximum"], **ask)["Datapoints"]
    found = extended["ExtendedStatistics"]
    assert simple["Minimum"] <= found["p50"] <= found["p99"] <= found["p100"] == simple["Maximum"]
    assert extended["Unit"] == "Milliseconds"


def test_metrics_of_another_account_or_region_are_not_seen(server, lambda_client, function):
    name = function(SOURCE)
    lambda_client.invoke(FunctionName=name)
    for other in (server.client("cloudwatch", account="111122223333"), server.client("cloudwatch", "eu-west-1")):
        assert other.list_metrics(Namespace="AWS/Lambda", Dimensions=of(name))["Metrics"] == []


def test_data_that_are_put_come_back_by_every_statistic(cloudwatch):
    namespace, moment = f"Own/{uuid.uuid4().hex}", datetime.now(UTC).replace(second=0, microsecond=0)
    dimensions = [{"Name": "Shop", "Value": "x & <y>"}]
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": "m", "Dimensions": dimensions, "Timestamp": moment, "Value": 1.0, "Unit": "Bytes"},
            {"MetricName": "m", "Dimensions": dimensions, "Timestamp": moment, "Values": [2.0, 4.0],
             "Counts": [2.0, 1.0], "Unit": "Bytes"},
            {"MetricName": "set", "Timestamp": moment,
             "StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}},
        ],
    )  # fmt: skip
    statistics = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    ask = {"Namespace": namespace, "Period": 60, **hour()}
    found = cloudwatch.get_metric_statistics(MetricName="m", Dimensions=dimensions, Statistics=statistics, **ask)
    (point,) = found["Datapoints"]
    assert point["Timestamp"] == moment
    assert [point[name] for name in statistics] == [4, 9, 2.25, 1, 4]
    (whole,) = cloudwatch.get_metric_statistics(MetricName="set", Statistics=statistics, **ask)["Datapoints"]
    assert [whole[name] for name in statistics] == [4, 10, 2.5, 1, 4]
    (listed,) = cloudwatch.list_metrics(Namespace=namespace, MetricName="m")["Metrics"]
    assert listed == {"Namespace": namespace, "MetricName": "m", "Dimensions": dimensions}


def test_several_metrics_are_read_at_once_page_by_page(cloudwatch):
    namespace, moment = f"Own/{uuid.uuid4().hex}", datetime.now(UTC).replace(second=0, microsecond=0)
    times = [moment - timedelta(minutes=minute) for minute in range(3)]
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Timestamp": at, "Value": number + 1.0}
            for name in ("a", "b")
            for number, at in enumerate(times)
        ],
    )
    queries = [
        {
            "Id": name,
            "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": name}, "Period": 60, "Stat": "Sum"},
        }
        for name in ("a", "b")
    ]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, MaxDatapoints=2, PaginationConfig={"MaxItems": 100}, **hour()
    )
    found = {"a": [], "b": []}
    for number, page in enumerate(pages):
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= 2, number
        for result in page["MetricDataResults"]:
            found[result["Id"]] += zip(result["Timestamps"], result["Values"], strict=True)
    assert found == {name: list(zip(times, [1.0, 2.0, 3.0], strict=True)) for name in ("a", "b")}


def test_errors_have_the_codes_that_clients_know_from_query(cloudwatch):
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException) as caught:
        cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "m", "Value": 1}])
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    with pytest.raises(ClientError, match=r"ValidationError.*must not equal parameter EndTime"):
        now = datetime.now(UTC)
        cloudwatch.get_metric_data(MetricDataQueries=[], StartTime=now, EndTime=now)
    with pytest.raises(ClientError, match=r"NotImplementedException.*DescribeAlarms of cloudwatch"):
        cloudwatch.describe_alarms()


def test_a_long_request_is_sent_compressed_and_understood(cloudwatch):
    namespace = f"Own/{uuid.uuid4().hex}"
    data = [{"MetricName": f"metric-{number}-{'x' * 100}", "Value": number} for number in range(200)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    assert len([metric for page in pages for metric in page["Metrics"]]) == 200


def test_lists_of_metrics_come_in_pages(cloudwatch):
    namespace = f"Own/{uuid.uuid4().hex}"
    for start in (0, 400):
        data = [{"MetricName": f"m{number:04}", "Value": 1} for number in range(start, start + 400)]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    first = cloudwatch.list_metrics(Namespace=namespace)
    rest = cloudwatch.list_metrics(Namespace=namespace, NextToken=first["NextToken"])
    names = [metric["MetricName"] for metric in first["Metrics"] + rest["Metrics"]]
    assert names == [f"m{number:04}" for number in range(800)]
    assert (len(first["Metrics"]), "NextToken" in rest) == (500, False)


def test_the_aws_cli_reads_metrics(endpoint, lambda_client, function):
    name = function(SOURCE)
    lambda_client.invoke(FunctionName=name)
    end = datetime.now(UTC) + timedelta(minutes=5)
    arguments = [
        "cloudwatch", "get-metric-statistics", "--namespace", "AWS/Lambda", "--metric-name", "Invocations",
        "--dimensions", f"Name=FunctionName,Value={name}", "--statistics", "Sum", "--period", "300",
        "--start-time", (end - timedelta(minutes=30)).isoformat(), "--end-time", end.isoformat(),
    ]  # fmt: skip
    points = json.loads(aws(endpoint, *arguments))["Datapoints"]
    assert sum(point["Sum"] for point in points) == 1
    aws(endpoint, "cloudwatch", "put-metric-data", "--namespace", f"Cli/{name}", "--metric-name", "m", "--value", "2")
    listed = json.loads(aws(endpoint, "cloudwatch", "list-metrics", "--namespace", f"Cli/{name}"))
    assert [metric["MetricName"] for metric in listed["Metrics"]] == ["m"]


def aws(endpoint, *arguments):
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_PAGER": "", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    command = [sys.executable, "-m", "awscli", "--endpoint-url", endpoint, "--output", "json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60, check=True).stdout


def test_metrics_survive_a_restart_and_all_but_the_last_seconds_a_kill(tmp_path, zip_of):
    server = Server(tmp_path / "data").start()
    try:
        client, metrics = server.client("lambda"), server.client("cloudwatch")
        client.create_function(
            FunctionName="f", Runtime=f"python3.{sys.version_info.minor}", Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": zip_of({"app.py": SOURCE})},
        )  # fmt: skip
        client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
        client.invoke(FunctionName="f")
        # Reading writes what waits.
        assert total(metrics, "Invocations", of("f")) == 1
        server.kill()
        server.start()
        assert total(server.client("cloudwatch"), "Invocations", of("f")) == 1
        server.client("lambda").invoke(FunctionName="f")
        assert server.stop() == 0
        server.start()
        assert total(server.client("cloudwatch"), "Invocations", of("f")) == 2
    finally:
        server.stop()


def test_a_function_reports_metrics_of_its_own(cloudwatch, lambda_client, function):
    namespace = f"Own/{uuid.uuid4().hex}"
    name = function(f"""
import boto3
def handler(event, context):
    boto3.client("cloudwatch").put_metric_data(Namespace={namespace!r}, MetricData=[{{"MetricName": "m", "Value": 7}}])
""")
    answer = lambda_client.invoke(FunctionName=name)
    assert "FunctionError" not in answer, answer["Payload"].read()
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="m", Period=3600, Statistics=["Sum"], **hour()
    )["Datapoints"]
    assert [point["Sum"] for point in points] == [7]


def test_a_refused_invocation_is_a_throttle_and_no_error(tmp_path, zip_of):
    server = Server(tmp_path / "data", INGLE_MAX_ENVIRONMENTS="1").start()
    try:
        client, metrics = server.client("lambda"), server.client("cloudwatch")
        client.create_function(
            FunctionName="f", Runtime=f"python3.{sys.version_info.minor}", Handler="app.handler", Timeout=30,
            Role="arn:aws:iam::000000000000:role/r",
            Code={"ZipFile": zip_of({"app.py": "import time\ndef handler(event, context):\n    time.sleep(20)\n"})},
        )  # fmt: skip
        client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
        busy = subprocess.Popen(
            [sys.executable, "-c", BUSY, server.url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline and not total(metrics, "ConcurrentExecutions", of("f"), "Maximum"):
            time.sleep(0.05)
        with pytest.raises(client.exceptions.TooManyRequestsException):
            client.invoke(FunctionName="f")
        assert total(metrics, "Throttles", of("f")) >= 1
        assert total(metrics, "Errors", of("f")) == 0
        assert total(metrics, "Invocations", of("f")) == 0
        busy.kill()
        busy.wait()
    finally:
        server.kill()


BUSY = """
import sys, boto3
boto3.client("lambda", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="test",
             aws_secret_access_key="test").invoke(FunctionName="f")
"""
