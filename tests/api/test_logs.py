"""The CloudWatch Logs API as boto3 and the AWS CLI use it, on the logs of a function that really ran."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

CODE = """
def lambda_handler(event, context):
    print("first line")
    print("second line", event.get("word"))
    return context.log_stream_name
"""
DEADLINE_SECONDS = 20


@pytest.fixture
def logged(lambda_client, zip_of):
    """A function that was invoked once: its name and its log stream."""
    name = f"logged-{uuid.uuid4().hex[:8]}"
    lambda_client.create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info.minor}",
        Handler="index.lambda_handler",
        Role="arn:aws:iam::000000000000:role/any",
        Timeout=20,
        Code={"ZipFile": zip_of({"index.py": CODE})},
    )
    lambda_client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps({"word": "needle"}))
    yield name, json.loads(answer["Payload"].read())
    lambda_client.delete_function(FunctionName=name)


def events_until_report(logs_client, group, **params):
    """Events of a group, once the REPORT line has been written: it may come a moment after the answer."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        events = logs_client.filter_log_events(logGroupName=group)["events"]
        if any(event["message"].startswith("REPORT ") for event in events) or time.monotonic() > deadline:
            return logs_client.filter_log_events(logGroupName=group, **params)["events"]


VARIABLES = {
    **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_PAGER": "",
    "PYTHONWARNINGS": "ignore",
}


def aws(endpoint, *arguments, program=(sys.executable, "-m", "awscli")):
    command = [*program, "--endpoint-url", endpoint, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=VARIABLES, timeout=60, check=False)


@pytest.fixture(scope="session")
def aws2():
    """The AWS CLI of version 2, which alone has `aws logs tail`; it is a distribution's package, not a Python one."""
    for directory in (*os.environ["PATH"].split(os.pathsep), "/usr/bin", "/usr/local/bin"):
        program = shutil.which("aws", path=directory)
        if program and "aws-cli/2." in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
            return program
    pytest.skip("no AWS CLI of version 2 here: apt-get install awscli")


def test_an_invocation_leaves_its_lines_in_the_group_and_stream_of_the_function(logs_client, logged):
    name, stream = logged
    group = f"/aws/lambda/{name}"
    messages = [event["message"] for event in events_until_report(logs_client, group)]
    assert [message.split(" ", 1)[0].strip() for message in messages if "line" not in message] == [
        *(["INIT_START"] if messages[0].startswith("INIT_START") else []),
        "START",
        "END",
        "REPORT",
    ]
    assert any(message.rstrip("\n") == "first line" for message in messages)
    (described,) = logs_client.describe_log_streams(logGroupName=group)["logStreams"]
    assert described["logStreamName"] == stream


def test_groups_and_events_are_described_and_read(logs_client, logged):
    name, stream = logged
    group = f"/aws/lambda/{name}"
    expected = [event["message"] for event in events_until_report(logs_client, group)]
    found = logs_client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [item["logGroupName"] for item in found] == [group]
    read = logs_client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    assert [event["message"] for event in read["events"]] == expected
    again = logs_client.get_log_events(
        logGroupName=group, logStreamName=stream, startFromHead=True, nextToken=read["nextForwardToken"]
    )
    assert again["events"] == []
    assert again["nextForwardToken"] == read["nextForwardToken"]


def test_a_filter_pattern_selects_events(logs_client, logged):
    name, _ = logged
    events = events_until_report(logs_client, f"/aws/lambda/{name}", filterPattern="needle")
    assert [event["message"].rstrip("\n") for event in events] == ["second line needle"]


def test_the_latest_events_come_first_if_that_is_asked_for(logs_client, logged):
    name, _ = logged
    group = f"/aws/lambda/{name}"
    forward = events_until_report(logs_client, group)
    pages = logs_client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=1_704_067_200_000, startFromHead=False, PaginationConfig={"PageSize": 2}
    )
    assert [event for page in pages for event in page["events"]] == forward[::-1]


def test_groups_streams_and_events_can_be_made_by_hand(logs_client):
    group = f"by-hand/{uuid.uuid4().hex}"
    logs_client.create_log_group(logGroupName=group)
    with pytest.raises(logs_client.exceptions.ResourceAlreadyExistsException):
        logs_client.create_log_group(logGroupName=group)
    logs_client.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    logs_client.put_log_events(
        logGroupName=group, logStreamName="s", logEvents=[{"timestamp": now, "message": "grüße"}]
    )
    logs_client.put_retention_policy(logGroupName=group, retentionInDays=1)
    (described,) = logs_client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 1
    (event,) = logs_client.get_log_events(logGroupName=group, logStreamName="s")["events"]
    assert (event["timestamp"], event["message"]) == (now, "grüße")
    logs_client.delete_log_stream(logGroupName=group, logStreamName="s")
    logs_client.delete_log_group(logGroupName=group)
    with pytest.raises(logs_client.exceptions.ResourceNotFoundException) as caught:
        logs_client.describe_log_streams(logGroupName=group)
    assert caught.value.response["Error"]["Message"] == "The specified log group does not exist."


def test_a_wrong_filter_pattern_and_a_made_up_token_are_refused(logs_client, logged):
    name, stream = logged
    group = f"/aws/lambda/{name}"
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs_client.filter_log_events(logGroupName=group, filterPattern="{ $.a ")
    with pytest.raises(ClientError, match="nextToken is invalid"):
        logs_client.get_log_events(logGroupName=group, logStreamName=stream, nextToken="f/nothing")


def test_the_aws_cli_reads_logs(endpoint, logs_client, logged):
    name, stream = logged
    group = f"/aws/lambda/{name}"
    events_until_report(logs_client, group)
    for arguments in (
        ("get-log-events", "--log-group-name", group, "--log-stream-name", stream),
        ("filter-log-events", "--log-group-name", group),
    ):
        result = aws(endpoint, "logs", *arguments)
        assert result.returncode == 0, result.stderr
        assert "second line needle" in result.stdout
    assert group in aws(endpoint, "logs", "describe-log-groups").stdout
    assert stream in aws(endpoint, "logs", "describe-log-streams", "--log-group-name", group).stdout


def test_the_aws_cli_tails_logs(endpoint, aws2, logs_client, logged):
    name, stream = logged
    group = f"/aws/lambda/{name}"
    expected = [event["message"] for event in events_until_report(logs_client, group)]
    result = aws(endpoint, "logs", "tail", group, program=(aws2,))
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if line]
    assert len(lines) == len(expected)
    assert all(f" {stream} " in line for line in lines)
    assert lines[-1].split(f" {stream} ")[1].startswith("REPORT RequestId: ")


def test_the_aws_cli_follows_logs(endpoint, aws2, lambda_client, logs_client, logged):
    name, _ = logged
    group = f"/aws/lambda/{name}"
    events_until_report(logs_client, group)
    command = [aws2, "--endpoint-url", endpoint, "logs", "tail", group, "--follow", "--format", "short"]
    with tempfile.TemporaryFile("w+") as output:
        following = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=VARIABLES)
        try:
            shown = shown_until(output, "REPORT")
            lambda_client.invoke(FunctionName=name, Payload=json.dumps({"word": "later"}))
            shown = shown_until(output, "second line later")
        finally:
            following.send_signal(signal.SIGINT)
            following.wait(10)
    assert shown.count("second line needle") == shown.count("second line later") == 1


def shown_until(output, text):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        output.seek(0)
        shown = output.read()
        if text in shown or time.monotonic() > deadline:
            assert text in shown
            return shown
        time.sleep(0.05)


def test_a_deleted_group_or_stream_begins_anew_with_the_next_line_of_a_running_function(
    lambda_client, logs_client, logged
):
    name, stream = logged
    group = f"/aws/lambda/{name}"
    events_until_report(logs_client, group)
    logs_client.put_retention_policy(logGroupName=group, retentionInDays=1)
    for word, delete in (
        ("second", lambda: logs_client.delete_log_group(logGroupName=group)),
        ("third", lambda: logs_client.delete_log_stream(logGroupName=group, logStreamName=stream)),
    ):
        delete()
        lambda_client.invoke(FunctionName=name, Payload=json.dumps({"word": word}))
        events = events_until_report(logs_client, group)
        lines = [event["message"].rstrip("\n") for event in events if "second line" in event["message"]]
        assert lines == [f"second line {word}"]
        assert {event["logStreamName"] for event in events} == {stream}
    (described,) = logs_client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert "retentionInDays" not in described, "the group is a new one"


def test_groups_have_tags(logs_client):
    group = f"tagged/{uuid.uuid4().hex}"
    logs_client.create_log_group(logGroupName=group, tags={"team": "a b", "stage": "test"})
    (described,) = logs_client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    arn = described["logGroupArn"]
    logs_client.tag_resource(resourceArn=arn, tags={"stage": "live"})
    logs_client.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs_client.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "live"}
    assert logs_client.list_tags_log_group(logGroupName=group)["tags"] == {"stage": "live"}
    logs_client.delete_log_group(logGroupName=group)
    with pytest.raises(logs_client.exceptions.ResourceNotFoundException):
        logs_client.list_tags_for_resource(resourceArn=arn)


def test_live_tails_say_by_name_that_they_are_not_there(endpoint):
    client = boto3.client(
        "logs", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, retries={"max_attempts": 1}),
    )  # fmt: skip
    with pytest.raises(ClientError, match=r"NotImplementedException.*StartLiveTail"):
        client.start_live_tail(logGroupIdentifiers=["arn:aws:logs:us-east-1:000000000000:log-group:g"])
