"""What requests to services that Ingle hands on need: the action, and for S3, SQS, SNS and EventBridge the resource.

Of other services nobody here knows which resource a request is about, so what statements say of resources is taken to
hold. Policies of resources are the companion's to hold to. Source: "Actions, resources, and condition keys" of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied
from ingle.frontend.authorization.companion_reading import CompanionRequest, Params, read
from ingle.frontend.authorization.needs import Need, Values
from ingle.frontend.authorization.s3_needs import is_data, s3_needs

#: Batches are allowed by the action of one.
_SINGLE = {
    "SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility", "PublishBatch": "Publish",
}  # fmt: skip
_QUEUE_URL = re.compile(r"https?://[^/?#\s\\]+/(\d{12})/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)", re.ASCII)
_QUEUE_PATH = re.compile(r"/(\d{12})/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)", re.ASCII)
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?", re.ASCII)
#: Members of SNS that name what a request is about.
_SNS_ARNS = ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn", "PlatformApplicationArn", "EndpointArn")
_ARN = re.compile(r"arn:aws[a-z-]*:(?:sqs|sns|events):[a-z0-9-]*:\d{12}:[A-Za-z0-9_./:*#-]+", re.ASCII)
_BUS = re.compile(r"[A-Za-z0-9_./-]{1,256}", re.ASCII)
#: What moves data, which no management record is made of. Of S3: what is about objects.
_DATA = {
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
    "sns": ("Publish",),
    "events": ("PutEvents",),
    "dynamodb": ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGet", "BatchWrite", "Query", "Scan",
                 "Transact", "PartiQL", "ExecuteStatement", "BatchExecute", "GetRecords", "GetShardIterator"),
    "kinesis": ("PutRecord", "GetRecords", "GetShardIterator", "SubscribeToShard"),
    "firehose": ("PutRecord",),
}  # fmt: skip

_About = list[tuple[str | None, Values]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Which operation a request means; of S3 the method, with what it is about in `path`."""

    operation: str
    params: Params
    data: bool


def name_of(request: CompanionRequest) -> Named:
    """Raises AccessDenied where nobody can say."""
    if request.service == "s3":
        return Named(operation=request.method, params={}, data=is_data(request.path))
    found = read(request)
    data = found.operation.startswith(_DATA.get(request.service, ()) or ("\0",))
    return Named(operation=found.operation, params=found.params, data=data)


def needs_of(caller: Caller, request: CompanionRequest, named: Named) -> list[Need]:
    """Raises AccessDenied, and for S3 MalformedXml."""
    if request.service == "s3":
        return s3_needs(caller, request)
    action = f"{request.service}:{_SINGLE.get(named.operation, named.operation)}"
    needs = [_need(caller, action, resource, values) for resource, values in _about(caller, request, named)]
    if named.operation == "StartMessageMoveTask" and "DestinationArn" in named.params:
        needs.append(_need(caller, "sqs:SendMessage", _checked(named.params["DestinationArn"]), {}))
    return needs


def _need(caller: Caller, action: str, resource: str | None, values: Values) -> Need:
    """A resource of another account would have to have a policy here that allows it, and has none."""
    parts = (resource or "").split(":", 5)
    account = parts[4] if len(parts) == 6 and parts[4] else caller.account
    return Need(action=action, resource=resource, account=account, values=lambda: values)


def _about(caller: Caller, request: CompanionRequest, named: Named) -> _About:
    """The resources, of which None is one that is not known, each with its condition keys."""
    if request.service == "sqs":
        return [(_queue(caller, request, named.params), {})]
    if request.service == "sns":
        values = {f"sns:{name}": str(named.params[name]) for name in ("Protocol", "Endpoint") if name in named.params}
        return [(_topic(caller, named), values)]
    if request.service == "events":
        return _of_events(caller, named)
    return [(None, {})]


def _queue(caller: Caller, request: CompanionRequest, params: Params) -> str | None:
    base = f"arn:{partition_of(caller.region)}:sqs:{caller.region}"
    if "SourceArn" in params:
        return _checked(params["SourceArn"])
    by_path = _QUEUE_PATH.fullmatch(request.path)
    if "QueueUrl" in params:
        by_url = _QUEUE_URL.fullmatch(str(params["QueueUrl"]))
        if by_url is None or (by_path is not None and by_path.groups() != by_url.groups()):
            raise AccessDenied("The request does not name one queue by its URL.")
        return f"{base}:{by_url[1]}:{by_url[2]}"
    if by_path is not None:
        return f"{base}:{by_path[1]}:{by_path[2]}"
    if request.path != "/":
        raise AccessDenied("The request does not name one queue by its URL.")
    if "QueueName" in params:
        name, owner = str(params["QueueName"]), str(params.get("QueueOwnerAWSAccountId") or caller.account)
        if not _QUEUE_NAME.fullmatch(name) or not re.fullmatch(r"\d{12}", owner, re.ASCII):
            raise AccessDenied("The request does not name one queue.")
        return f"{base}:{owner}:{name}"
    return None if "TaskHandle" in params else "*"


def _topic(caller: Caller, named: Named) -> str:
    given = [named.params[member] for member in _SNS_ARNS if member in named.params]
    if len(given) > 1:
        raise AccessDenied("The request names two resources.")
    if given:
        # An endpoint of a subscription is below its topic.
        return ":".join(_checked(given[0]).split(":")[:6])
    if named.operation == "CreateTopic":
        name = str(named.params.get("Name", ""))
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?", name, re.ASCII):
            raise AccessDenied("The request names no topic.")
        return f"arn:{partition_of(caller.region)}:sns:{caller.region}:{caller.account}:{name}"
    return "*"


def _of_events(caller: Caller, named: Named) -> _About:
    base = f"arn:{partition_of(caller.region)}:events:{caller.region}:{caller.account}"
    params, operation = named.params, named.operation

    def bus(name: Any) -> str:
        text = "default" if name is None else str(name)
        if text.startswith("arn:"):
            return _checked(text)
        if not _BUS.fullmatch(text):
            raise AccessDenied("The request names no event bus.")
        return f"{base}:event-bus/{text}"

    if operation == "PutEvents":
        return [(bus(entry.get("EventBusName")), _of_entry(entry)) for entry in _entries(params)]
    if "ResourceARN" in params:
        return [(_checked(params["ResourceARN"]), {})]
    if operation.endswith("EventBus"):
        return [(bus(params.get("Name")), {})]
    if operation in ("PutPermission", "RemovePermission"):
        return [(bus(params.get("EventBusName")), {})]
    name = params.get("Rule" if operation in ("PutTargets", "RemoveTargets", "ListTargetsByRule") else "Name")
    if operation.endswith(("Rule", "Targets")) and isinstance(name, str):
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name, re.ASCII):
            raise AccessDenied("The request names no rule.")
        on = bus(params.get("EventBusName")).rpartition("event-bus/")[2]
        return [(f"{base}:rule/{name}" if on == "default" else f"{base}:rule/{on}/{name}", {})]
    return [("*" if operation.startswith("List") else None, {})]


def _entries(params: Params) -> list[Mapping[str, Any]]:
    listed = params.get("Entries")
    if not isinstance(listed, list) or not listed or not all(isinstance(entry, dict) for entry in listed):
        raise AccessDenied("The request has no entries.")
    return listed


def _of_entry(entry: Mapping[str, Any]) -> Values:
    keys = (("source", "Source"), ("detail-type", "DetailType"))
    return {f"events:{key}": str(entry[member]) for key, member in keys if member in entry}


def _checked(arn: Any) -> str:
    """Raises AccessDenied for what is no ARN of one of these services."""
    if not isinstance(arn, str) or not _ARN.fullmatch(arn):
        raise AccessDenied("The request does not name a resource by its ARN.")
    return arn
