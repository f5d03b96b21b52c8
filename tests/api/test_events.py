"""Asynchronous invocation of a served Ingle, whose results go to SQS, SNS, EventBridge and S3 of moto."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import time
import urllib.request
import uuid

import pytest

from mock_aws import MockAws, wait_until
from served import Server, create_function, package, refusal

#: Prints its request id; fails when it is told to.
HANDLER = """
import json
def handler(event, context):
    print('ran', context.aws_request_id)
    if isinstance(event, dict) and event.get('raise_error'):
        raise Exception('Test exception (this is intentional)')
    return {'event': event, 'context': {
        'aws_request_id': context.aws_request_id,
        'client_context': context.client_context,
        'function_name': context.function_name,
        'function_version': context.function_version,
        'invoked_function_arn': context.invoked_function_arn,
        'log_group_name': context.log_group_name,
        'log_stream_name': context.log_stream_name,
        'memory_limit_in_mb': context.memory_limit_in_mb,
    }}
"""
FAIL = b'{"raise_error": 1}'


@pytest.fixture(scope="module")
def aws():
    running = MockAws()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def served(aws, tmp_path_factory):
    directory = tmp_path_factory.mktemp("events") / "data"
    running = Server(directory, INGLE_AWS_ENDPOINT=aws.url, INGLE_EVENT_RETRY_DELAYS="0.05,0.1").start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def ours(served):
    return served.client("lambda")


@pytest.fixture
def create(ours):
    """`create(**settings)` makes a function of HANDLER, active; it is deleted afterwards."""
    made = []

    def make(source=HANDLER, client=ours, **settings):
        name = f"f{uuid.uuid4().hex}"
        create_function(client, name, source, **settings)
        made.append((client, name))
        return name

    yield make
    for client, name in made:
        client.delete_function(FunctionName=name)


def send(client, name, payload=b"{}", **params):
    """The request id of an event that was accepted."""
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=payload, **params)
    assert answer["StatusCode"] == 202
    return answer["ResponseMetadata"]["RequestId"]


def configure(client, name, success=None, failure=None, **settings):
    targets = {"OnSuccess": success, "OnFailure": failure}
    destinations = {key: {"Destination": arn} for key, arn in targets.items() if arn}
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destinations, **settings)


def runs(served, name):
    """The request ids that a function has printed, once for each attempt."""
    logs = served.client("logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        lines = [event["message"].split() for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [words[1] for words in lines if words[0] == "ran"]


def queued(served):
    """How many events are not over."""
    with urllib.request.urlopen(served.url + "/_ingle/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(int(float(count)) for count in re.findall(r"^ingle_events_queued\{.*\} (\S+)$", text, re.MULTILINE))


def metric(served, name, function):
    """The sum of a metric of AWS/Lambda for a function."""
    now = time.time()
    found = served.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=name, Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - 3600, EndTime=now + 3600, Period=60, Statistics=["Sum"],
    )  # fmt: skip
    return sum(point["Sum"] for point in found["Datapoints"])


def body(message):
    return json.loads(message["Body"])


# --- acceptance


def test_the_answer_is_202_with_nothing_but_the_request_id_that_the_function_sees(served, ours, create):
    name = create()
    answer = ours.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert not {"ExecutedVersion", "FunctionError", "LogResult"} & answer.keys()
    wait_until(lambda: runs(served, name) == [answer["ResponseMetadata"]["RequestId"]])


def test_invoke_async_queues_too(served, ours, create):
    name = create()
    answer = ours.invoke_async(FunctionName=name, InvokeArgs=b'{"a": 1}')
    assert answer["Status"] == 202
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    wait_until(lambda: runs(served, name) == [answer["ResponseMetadata"]["RequestId"]])
    assert refusal(ours.invoke_async, FunctionName=name, InvokeArgs=b"{")[:2] == (400, "InvalidRequestContentException")
    assert refusal(ours.invoke_async, FunctionName="absent", InvokeArgs=b"{}")[:2] == (404, "ResourceNotFoundException")


@pytest.mark.parametrize(("operation", "size"), [("event", 1_048_576), ("async", 262_144)])
def test_the_largest_payload_is_accepted_and_a_larger_one_is_not(served, ours, create, operation, size):
    name = create()
    largest = b'"' + b"x" * (size - 2) + b'"'
    if operation == "event":
        send(ours, name, largest)
        call = {"InvocationType": "Event", "Payload": largest + b" "}
        status, code, text = refusal(ours.invoke, FunctionName=name, **call)
    else:
        ours.invoke_async(FunctionName=name, InvokeArgs=largest)
        status, code, text = refusal(ours.invoke_async, FunctionName=name, InvokeArgs=largest + b" ")
    assert (status, code) == (413, "RequestEntityTooLargeException")
    assert text == f"{size + 1} byte payload is too large for the Event invocation type (limit {size} bytes)"
    wait_until(lambda: len(runs(served, name)) == 1)


def test_what_is_not_accepted_does_not_run(served, ours, create):
    name = create()
    refused = [
        ({"Payload": b"{"}, (400, "InvalidRequestContentException")),
        ({"Payload": b"{}", "Qualifier": "9"}, (404, "ResourceNotFoundException")),
    ]
    for params, told in refused:
        assert refusal(ours.invoke, FunctionName=name, InvocationType="Event", **params)[:2] == told
    assert ours.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    after = send(ours, name)
    wait_until(lambda: runs(served, name) == [after])


def test_an_empty_payload_is_an_empty_object(aws, ours, create):
    name, queue = create(), aws.queue()
    configure(ours, name, queue.arn)
    send(ours, name, b"")
    assert body(queue.messages()[0])["requestPayload"] == {}


# --- results, as AWS was seen to send them


def expected(name, request_id, condition, count, event, response, error=None):
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"
    context = {"statusCode": 200, "executedVersion": "$LATEST"}
    return {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id, "functionArn": arn, "condition": condition, "approximateInvokeCount": count,
        },
        "requestPayload": event,
        "responseContext": context if error is None else {**context, "functionError": error},
        "responsePayload": response,
    }  # fmt: skip


def untimed(record):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    return record


def test_the_record_of_a_success_is_that_of_aws(aws, ours, create):
    name, queue = create(), aws.queue()
    configure(ours, name, queue.arn, queue.arn)
    request_id = send(ours, name, b"{}")
    record = untimed(body(queue.messages()[0]))
    stream = record["responsePayload"]["context"]["log_stream_name"]
    response = {
        "event": {},
        "context": {
            "aws_request_id": request_id, "client_context": None, "function_name": name, "function_version": "$LATEST",
            "invoked_function_arn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
            "log_group_name": f"/aws/lambda/{name}", "log_stream_name": stream, "memory_limit_in_mb": "128",
        },
    }  # fmt: skip
    assert record == expected(name, request_id, "Success", 1, {}, response)


@pytest.mark.parametrize(("settings", "count"), [({"MaximumRetryAttempts": 0}, 1), ({}, 3)])
def test_the_record_of_a_failure_is_that_of_aws(aws, ours, served, create, settings, count):
    name, queue = create(), aws.queue()
    configure(ours, name, queue.arn, queue.arn, **settings)
    request_id = send(ours, name, FAIL)
    record = untimed(body(queue.messages()[0]))
    response = {
        "errorMessage": "Test exception (this is intentional)",
        "errorType": "Exception",
        "requestId": request_id,
        "stackTrace": [
            '  File "/var/task/app.py", line 6, in handler\n'
            "    raise Exception('Test exception (this is intentional)')\n"
        ],
    }
    event = {"raise_error": 1}
    assert record == expected(name, request_id, "RetriesExhausted", count, event, response, "Unhandled")
    assert runs(served, name) == [request_id] * count


def test_a_message_has_the_trace_of_the_event(aws, ours, served, create):
    name, queue = create(), aws.queue()
    configure(ours, name, queue.arn)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    request = urllib.request.Request(
        f"{served.url}/2015-03-31/functions/{name}/invocations", b"{}", method="POST",
        headers={"X-Amz-Invocation-Type": "Event", "X-Amzn-Trace-Id": trace},
    )  # fmt: skip
    urllib.request.urlopen(request, timeout=10).close()
    assert queue.messages()[0]["Attributes"]["AWSTraceHeader"].startswith(f"{trace};Lineage=")


def test_results_go_through_a_topic(aws, ours, create):
    name, queue = create(), aws.queue()
    configure(ours, name, aws.topic(queue))
    request_id = send(ours, name)
    assert body(queue.messages()[0])["requestContext"]["requestId"] == request_id


@pytest.mark.parametrize(("payload", "outcome"), [(b"{}", "Success"), (FAIL, "Failure")])
def test_results_go_through_a_bus_and_its_rule(aws, ours, create, payload, outcome):
    name, queue = create(), aws.queue()
    bus = aws.bus(queue)
    configure(ours, name, bus, bus, MaximumRetryAttempts=0)
    request_id = send(ours, name, payload)
    event = body(queue.messages()[0])
    assert (event["source"], event["detail-type"]) == ("lambda", f"Lambda Function Invocation Result - {outcome}")
    assert event["resources"] == [bus, f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"]
    assert event["detail"]["requestContext"]["requestId"] == request_id


def test_failures_go_to_a_bucket(aws, ours, create):
    name, bucket = create(), aws.bucket()
    configure(ours, name, failure=f"arn:aws:s3:::{bucket}", MaximumRetryAttempts=0)
    request_id = send(ours, name, FAIL)
    (found,) = wait_until(lambda: aws.s3.list_objects_v2(Bucket=bucket).get("Contents"))
    uuid4 = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    stamp = r"\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d"
    assert re.fullmatch(f"aws/lambda/async/{name}/{stamp}-{uuid4}", found["Key"])
    record = json.loads(aws.s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert record["requestContext"]["requestId"] == request_id


def test_results_go_to_another_function_as_its_event(aws, ours, create):
    first, second, queue = create(), create(), aws.queue()
    configure(ours, second, queue.arn)
    configure(ours, first, f"arn:aws:lambda:us-east-1:000000000000:function:{second}")
    request_id = send(ours, first, b"[1]")
    record = body(queue.messages()[0])
    assert record["requestContext"]["functionArn"].endswith(f":{second}:$LATEST")
    assert record["requestContext"]["requestId"] != request_id
    passed = record["requestPayload"]
    assert (passed["requestPayload"], passed["requestContext"]["requestId"]) == ([1], request_id)


# --- dead-letter queues


@pytest.mark.parametrize("through_topic", [False, True])
def test_a_dead_letter_is_the_event_with_attributes(aws, ours, create, through_topic):
    queue = aws.queue()
    name = create(DeadLetterConfig={"TargetArn": aws.topic(queue) if through_topic else queue.arn})
    request_id = send(ours, name, FAIL)
    (message,) = queue.messages()
    assert message["Body"].encode() == FAIL
    found = {key: (value["DataType"], value["StringValue"]) for key, value in message["MessageAttributes"].items()}
    assert found == {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "Test exception (this is intentional)"),
    }


def test_a_dead_letter_queue_and_a_destination_both_get_what_failed(aws, served, ours, create):
    dead, failures = aws.queue(), aws.queue()
    name = create(DeadLetterConfig={"TargetArn": dead.arn})
    configure(ours, name, failure=failures.arn, MaximumRetryAttempts=0)
    send(ours, name, FAIL)
    assert body(failures.messages()[0])["requestPayload"] == body(dead.messages()[0]) == {"raise_error": 1}
    assert len(runs(served, name)) == 1


def test_successes_are_no_dead_letters(aws, served, ours, create):
    dead = aws.queue()
    name = create(DeadLetterConfig={"TargetArn": dead.arn})
    send(ours, name)
    wait_until(lambda: runs(served, name) and not queued(served))
    assert dead.receive() == []


# --- configurations by qualifier


def test_each_qualifier_has_a_configuration_of_its_own(aws, ours, served, create):
    name, version_queue, alias_queue = create(), aws.queue(), aws.queue()
    ours.publish_version(FunctionName=name)
    ours.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    ours.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier, queue, retries in (("1", version_queue, 0), ("live", alias_queue, 1)):
        ours.put_function_event_invoke_config(
            FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=retries,
            DestinationConfig={"OnFailure": {"Destination": queue.arn}},
        )  # fmt: skip
    by_version, by_alias = send(ours, name, FAIL, Qualifier="1"), send(ours, name, FAIL, Qualifier="live")
    for queue, request_id, qualifier, count in (
        (version_queue, by_version, "1", 1),
        (alias_queue, by_alias, "live", 2),
    ):
        record = body(queue.messages()[0])
        assert record["requestContext"] == {
            "requestId": request_id, "condition": "RetriesExhausted", "approximateInvokeCount": count,
            "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}:{qualifier}",
        }  # fmt: skip
        assert record["responseContext"]["executedVersion"] == "1"
    latest = send(ours, name, FAIL)
    wait_until(lambda: runs(served, name).count(latest) == 3)


def test_code_that_was_updated_meanwhile_is_what_runs(aws, ours, create):
    name, queue = create("def handler(event, context):\n    raise Exception('old')\n"), aws.queue()
    configure(ours, name, queue.arn)
    ours.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    send(ours, name)
    new = package({"app.py": "def handler(event, context):\n    return 'new'\n"})
    ours.update_function_code(FunctionName=name, ZipFile=new)
    send(ours, name)
    assert "new" in {body(message)["responsePayload"] for message in queue.messages()}


# --- what cannot run


def test_a_reserve_of_zero_sends_events_on_at_once(aws, ours, served, create):
    dead, failures = aws.queue(), aws.queue()
    name = create(DeadLetterConfig={"TargetArn": dead.arn})
    configure(ours, name, failure=failures.arn)
    ours.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send(ours, name, b"[1]")
    record = body(failures.messages()[0])
    assert (record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]) == (
        "ZeroReservedConcurrency", 0,
    )  # fmt: skip
    assert "responseContext" not in record
    assert body(dead.messages()[0]) == [1]
    assert runs(served, name) == []


def test_throttled_events_run_once_there_is_room(served, ours, create):
    name = create(
        HANDLER.replace("import json\n", "import json, time\n").replace("    print", "    time.sleep(0.1)\n    print")
    )
    ours.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    sent = {send(ours, name) for _ in range(8)}
    wait_until(lambda: set(runs(served, name)) == sent)
    assert sorted(runs(served, name)) == sorted(sent)


def test_an_event_that_has_become_too_old_is_not_run(aws, tmp_path):
    """Time passes by the row of the event: the server is stopped, and the event was accepted earlier."""
    queue = aws.queue()
    served = Server(tmp_path / "data", INGLE_AWS_ENDPOINT=aws.url, INGLE_EVENT_RETRY_DELAYS="30").start()
    ours = served.client("lambda")
    create_function(ours, "old", HANDLER)
    configure(ours, "old", failure=queue.arn, MaximumEventAgeInSeconds=60)
    failed = send(ours, "old", FAIL)
    wait_until(lambda: runs(served, "old") == [failed])
    assert served.stop() == 0
    database = sqlite3.connect(tmp_path / "data" / "events.db")
    with database:
        ((progress,),) = database.execute("select document from event_progress").fetchall()
        database.execute("update queued_events set accepted = accepted - 61000")
        database.execute(
            "update event_progress set document = ?", (json.dumps({**json.loads(progress), "due": 1}).encode(),)
        )
    database.close()
    served.start()
    try:
        record = body(queue.messages()[0])
        assert (record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]) == (
            "EventAgeExceeded", 1,
        )  # fmt: skip
        assert record["responsePayload"]["errorMessage"] == "Test exception (this is intentional)"
        assert runs(served, "old") == [failed]
        assert wait_until(lambda: metric(served, "AsyncEventsDropped", "old")) == 1
    finally:
        assert served.stop() == 0


# --- companions in trouble


def test_results_wait_for_a_companion_that_is_down(tmp_path):
    aws = MockAws()
    queue = aws.queue()
    served = Server(tmp_path / "data", INGLE_AWS_ENDPOINT=aws.url).start()
    ours = served.client("lambda")
    try:
        create_function(ours, "f", HANDLER)
        configure(ours, "f", queue.arn)
        aws.stop()
        sent = {send(ours, "f") for _ in range(3)}
        wait_until(lambda: metric(served, "DestinationDeliveryFailures", "f") >= 1)
        assert set(runs(served, "f")) == sent
        with urllib.request.urlopen(served.url + "/_ingle/health", timeout=10) as answer:
            health = json.load(answer)
        assert health["status"] == "degraded"
        assert any(f"SQS at {aws.url} cannot be used" in problem for problem in health["problems"])
        assert served.stop() == 0
        served.start()
        aws.start()
        got = {body(message)["requestContext"]["requestId"] for message in queue.messages(3)}
        assert got == sent
        wait_until(lambda: queued(served) == 0)
    finally:
        served.stop()
        aws.stop()


def test_a_companion_that_never_answers_holds_up_nothing_else(tmp_path):
    """What it gets waits for time-outs of its own, and so does nobody else; the server stops in its time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        served = Server(tmp_path / "data", INGLE_AWS_ENDPOINT_SQS=url).start()
        ours = served.client("lambda")
        try:
            for name in ("stuck", "free", "last"):
                create_function(ours, name, HANDLER)
            configure(ours, "stuck", "arn:aws:sqs:us-east-1:000000000000:q")
            configure(ours, "free", "arn:aws:lambda:us-east-1:000000000000:function:last")
            sent = {send(ours, "stuck") for _ in range(200)}
            wait_until(lambda: set(runs(served, "stuck")) == sent)
            for _ in range(20):
                send(ours, "free")
            wait_until(lambda: len(runs(served, "last")) == 20)
            assert ours.invoke(FunctionName="stuck")["StatusCode"] == 200
            assert queued(served) == 200
        finally:
            assert served.stop() == 0


def test_without_a_companion_the_option_is_named_and_the_result_is_kept(server, lambda_client, function):
    name = function("def handler(event, context):\n    return 1\n")
    configure(lambda_client, name, "arn:aws:sqs:us-east-1:000000000000:q")
    send(lambda_client, name)
    wait_until(lambda: metric(server, "DestinationDeliveryFailures", name))
    with urllib.request.urlopen(server.url + "/_ingle/health", timeout=10) as answer:
        problems = json.load(answer)["problems"]
    assert any("see `ingle serve --aws-endpoint`" in problem for problem in problems)


def test_a_destination_that_is_not_there_is_counted_and_does_not_stop_others(aws, ours, served, create):
    name, other, queue = create(), create(), aws.queue()
    configure(ours, name, "arn:aws:sqs:us-east-1:123456789012:absent")
    configure(ours, other, queue.arn)
    send(ours, name)
    wait_until(lambda: metric(served, "DestinationDeliveryFailures", name))
    request_id = send(ours, other)
    assert body(queue.messages()[0])["requestContext"]["requestId"] == request_id


# --- metrics


def test_what_happens_to_events_is_in_metrics(aws, ours, served, create):
    dead = "arn:aws:sqs:us-east-1:123456789012:absent"
    name = create(DeadLetterConfig={"TargetArn": dead})
    configure(ours, name, MaximumRetryAttempts=1)
    send(ours, name)
    send(ours, name, FAIL)
    wait_until(lambda: metric(served, "DeadLetterErrors", name))
    assert metric(served, "AsyncEventsReceived", name) == 2
    assert metric(served, "AsyncEventsDropped", name) == 1
    assert metric(served, "Invocations", name) == 3
    assert metric(served, "Errors", name) == 2
    assert metric(served, "AsyncEventAge", name) >= 50  # the retry
