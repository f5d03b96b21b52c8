"""DescribeHost of Ingle's own service, as its users see it."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import ingle


def test_the_host_is_told_as_doctor_tells_it(server):
    before = time.time()
    found = server.client("ingle").describe_host()
    assert found["Version"] == ingle.__version__
    assert found["StartedAt"].timestamp() <= before
    assert 0 <= found["Uptime"] <= time.time() - found["StartedAt"].timestamp() + 1
    command = [sys.executable, "-m", "ingle", "doctor", "--json"]
    doctor = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert found["Isolation"] == doctor["isolation"]
    told = [(check["Subject"], check["State"]) for check in found["Checks"]]
    assert told == [(finding["subject"], finding["level"]) for finding in doctor["findings"]]
    details = {check["Subject"]: check["Detail"] for check in found["Checks"]}
    for finding in doctor["findings"]:
        if finding["subject"] not in ("disk", "interpreter"):
            assert details[finding["subject"]] == finding["detail"]
    assert before - 61 <= found["CheckedAt"].timestamp() <= time.time()


def test_runtimes_and_figures_are_told(server):
    found = server.client("ingle").describe_host()
    runtimes = {item["Runtime"]: item for item in found["Runtimes"]}
    mine = f"python3.{sys.version_info.minor}"
    assert runtimes[mine]["Version"].startswith(f"3.{sys.version_info.minor}.")
    memory, disk = found["Memory"], found["Disk"]
    assert 0 < memory["Server"] < memory["Total"]
    assert 0 < memory["Available"] <= memory["Total"]
    assert 0 < disk["Free"] <= disk["Total"]
    assert disk["Reserve"] > 0
    assert disk["Full"] is False
    assert found["Processors"] >= 1
    assert found["Problems"] == []
    assert set(found["Environments"]) >= {"idle", "busy", "frozen"}


def test_functions_are_told_neither_of_the_host_nor_of_the_audit_log(server, lambda_client, function):
    name = function(
        """
import json, os, urllib.error, urllib.request

def handler(event, context):
    signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ingle/aws4_request, SignedHeaders=host, Signature=x"
    headers = {"X-Amz-Target": "Ingle." + event, "Content-Type": "application/x-amz-json-1.1", "Authorization": signed}
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], b"{}", headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return sorted(json.load(answer))
    except urllib.error.HTTPError as error:
        return json.load(error)["__type"]
"""
    )
    ask = {
        operation: json.load(lambda_client.invoke(FunctionName=name, Payload=json.dumps(operation))["Payload"])
        for operation in ("DescribeHost", "ListAuditRecords", "ListEnvironments")
    }
    denied = "AccessDeniedException"
    assert ask == {"DescribeHost": denied, "ListAuditRecords": denied, "ListEnvironments": ["Environments"]}
