"""What results of asynchronous invocations are sent with: SQS, SNS, EventBridge and S3, one operation of each.

Queues, topics and buses are named by their ARNs, whose region is called. Attributes of messages are name -> (data type,
value). Every call raises CompanionError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ingle.companions.caller import ServiceCaller
from ingle.companions.errors import Refused
from ingle.companions.http import Answer
from ingle.companions.xml_errors import refusal

Attributes = Mapping[str, tuple[str, str]]


async def send_message(
    sqs: ServiceCaller, queue_arn: str, body: str, attributes: Attributes, trace_header: str | None = None
) -> None:
    """`trace_header` becomes the system attribute AWSTraceHeader."""
    _, _, _, region, account, name = queue_arn.split(":", 5)
    named = {"QueueName": name, "QueueOwnerAWSAccountId": account}
    found = await _json(sqs, region, account, "AmazonSQS.GetQueueUrl", "1.0", named)
    message: dict[str, Any] = {"QueueUrl": found.get("QueueUrl"), "MessageBody": body}
    if attributes:
        message["MessageAttributes"] = {
            key: {"DataType": kind, "StringValue": value} for key, (kind, value) in attributes.items()
        }
    if trace_header:
        message["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header}}
    await _json(sqs, region, account, "AmazonSQS.SendMessage", "1.0", message)


async def publish(sns: ServiceCaller, topic_arn: str, message: str, attributes: Attributes) -> None:
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic_arn, "Message": message}
    for number, (key, (kind, value)) in enumerate(attributes.items(), 1):
        prefix = f"MessageAttributes.entry.{number}"
        form |= {f"{prefix}.Name": key, f"{prefix}.Value.DataType": kind, f"{prefix}.Value.StringValue": value}
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    region, account = topic_arn.split(":")[3:5]
    answer = await sns.call(region, urlencode(form).encode(), headers, account=account)
    if answer.status != 200:
        raise refusal(answer)


async def put_event(events: ServiceCaller, bus_arn: str, entry: Mapping[str, Any]) -> None:
    """`entry` is a PutEventsRequestEntry without its bus."""
    region, account = bus_arn.split(":")[3:5]
    entries = {"Entries": [{**entry, "EventBusName": bus_arn}]}
    found = await _json(events, region, account, "AWSEvents.PutEvents", "1.1", entries)
    if found.get("FailedEntryCount"):
        failed = found.get("Entries", [{}])[0]
        raise Refused(400, failed.get("ErrorCode", "InternalFailure"), failed.get("ErrorMessage", "not accepted"))


async def put_object(s3: ServiceCaller, bucket: str, key: str, body: bytes, *, region: str) -> None:
    path = f"/{bucket}/{quote(key, safe='/-_.~')}"
    answer = await s3.call(region, body, {"content-type": "application/json"}, method="PUT", path=path)
    if answer.status != 200:
        raise refusal(answer)


async def _json(
    service: ServiceCaller, region: str, account: str, target: str, version: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    headers = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": target}
    answer = await service.call(region, json.dumps(document).encode(), headers, account=account)
    found = _document(answer)
    if answer.status != 200:
        code = str(found.get("__type", f"Http{answer.status}")).rpartition("#")[2]
        raise Refused(answer.status, code, str(found.get("message") or found.get("Message") or "The request failed."))
    return found


def _document(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body or b"{}")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
