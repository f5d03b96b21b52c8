"""What requests to services that Ingle hands on need: the action, and for S3, SQS, SNS and EventBridge the resource.

Of other services nobody here knows which resource a request is about, so what statements say of resources is taken to
hold. Policies of resources are the companion's to hold to. Source: "Actions, resources, and condition keys" of each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied
from ingle.frontend.authorization.needs import Need, Values
from ingle.frontend.authorization.s3_needs import S3Request, is_data, s3_needs
from ingle.wire import Service, UnknownOperation

Params = Mapping[str, Any]

#: What IAM calls a service, where that is not what requests are signed for.
_PREFIXES = {"email": "ses"}
#: Batches are allowed by the action of one.
_SINGLE = {
    "SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility", "PublishBatch": "Publish",
}  # fmt: skip
_SNS_ARNS = ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn", "PlatformApplicationArn", "EndpointArn")
#: What moves data, which no management record is made of. Of S3: what is about objects.
_DATA = {
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
    "sns": ("Publish",),
    "events": ("PutEvents",),
    "dynamodb": ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGet", "BatchWrite", "Query", "Scan",
                 "Transact", "PartiQL", "ExecuteStatement", "BatchExecute"),
    "kinesis": ("PutRecord", "GetRecords", "GetShardIterator", "SubscribeToShard"),
    "firehose": ("PutRecord",),
    "secretsmanager": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanionRequest:
    """A request as it is handed on. `path` names the bucket first; `body` is whole, but for objects of S3."""

    service: str
    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Which operation a request means, as far as it says so; of S3 the method with what it is about."""

    operation: str
    params: Params
    data: bool


def name_of(request: CompanionRequest) -> Named:
    """Raises AccessDenied where nobody can say."""
    if request.service == "s3":
        return Named(operation=request.method, params={}, data=is_data(request.path))
    params = _params(request)
    operation = _operation(request, params)
    data = operation.startswith(_DATA.get(request.service, ()) or ("\0",))
    return Named(operation=operation, params=params, data=data)


def needs_of(caller: Caller, request: CompanionRequest, named: Named) -> list[Need]:
    """Raises AccessDenied, and for S3 MalformedXml."""
    if request.service == "s3":
        asked = S3Request(
            method=request.method, path=request.path, query=request.query, headers=request.headers, body=request.body
        )
        return s3_needs(caller, asked)
    action = _SINGLE.get(named.operation, named.operation)
    prefix = _PREFIXES.get(request.service, request.service)
    resources, values = _about(caller, request, named)
    return [
        Need(action=f"{prefix}:{action}", resource=resource, account=caller.account, values=lambda: values)
        for resource in resources
    ]


def _about(caller: Caller, request: CompanionRequest, named: Named) -> tuple[list[str | None], Values]:
    """The resources, of which None is one that is not known, and the condition keys."""
    if request.service == "sqs":
        return [_queue(caller, request, named.params)], {}
    if request.service == "sns":
        values = {f"sns:{name}": str(named.params[name]) for name in ("Protocol", "Endpoint") if name in named.params}
        return [_topic(caller, named)], values
    if request.service == "events":
        return _event_resources(caller, named)
    return [None], {}


def _queue(caller: Caller, request: CompanionRequest, params: Params) -> str | None:
    base = f"arn:{partition_of(caller.region)}:sqs:{caller.region}"
    if isinstance(arn := params.get("SourceArn"), str):
        return arn
    url = params.get("QueueUrl")
    own = unquote(request.path).strip("/")
    path = urlsplit(url).path.strip("/") if isinstance(url, str) else own
    if own and own != path:
        raise AccessDenied("The request names two queues.")
    *account, name = path.split("/")
    if account:
        return f"{base}:{account[-1]}:{name}"
    if name:
        return f"{base}:{caller.account}:{name}"
    if isinstance(named := params.get("QueueName"), str):
        return f"{base}:{params.get('QueueOwnerAWSAccountId') or caller.account}:{named}"
    return None if "TaskHandle" in params else "*"


def _topic(caller: Caller, named: Named) -> str:
    for member in _SNS_ARNS:
        arn = named.params.get(member)
        if isinstance(arn, str):
            # An endpoint of a subscription is below its topic.
            return ":".join(arn.split(":")[:6])
    if named.operation == "CreateTopic" and isinstance(name := named.params.get("Name"), str):
        return f"arn:{partition_of(caller.region)}:sns:{caller.region}:{caller.account}:{name}"
    return "*"


def _event_resources(caller: Caller, named: Named) -> tuple[list[str | None], Values]:
    base = f"arn:{partition_of(caller.region)}:events:{caller.region}:{caller.account}"
    params, operation = named.params, named.operation

    def bus(name: Any) -> str:
        text = name if isinstance(name, str) and name else "default"
        return text if text.startswith("arn:") else f"{base}:event-bus/{text}"

    if operation == "PutEvents":
        listed = params.get("Entries")
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        values: dict[str, str | tuple[str, ...]] = {
            f"events:{key}": tuple({str(entry[member]) for entry in entries if member in entry})
            for key, member in (("source", "Source"), ("detail-type", "DetailType"))
        }
        return list(dict.fromkeys(bus(entry.get("EventBusName")) for entry in entries)) or ["*"], values
    if isinstance(arn := params.get("ResourceARN", params.get("EventSourceArn")), str):
        return [arn], {}
    name = params.get("Rule", params.get("Name"))
    if operation.endswith("EventBus") and isinstance(name, str):
        return [bus(name)], {}
    if operation.endswith(("Rule", "Targets", "TargetsByRule")) and isinstance(name, str):
        on = bus(params.get("EventBusName")).rpartition("event-bus/")[2]
        return [f"{base}:rule/{name}" if on == "default" else f"{base}:rule/{on}/{name}"], {}
    return ["*" if operation.startswith("List") else None], {}


def _params(request: CompanionRequest) -> Params:
    """What the body says, as JSON or as a form; nothing for other bodies."""
    kind = request.headers.get(b"content-type", b"")
    if b"x-amz-target" not in request.headers:
        form = kind.startswith(b"application/x-www-form-urlencoded")
        body = request.body.decode("latin-1") if form else ""
        return _once([pair for text in (request.query, body) for pair in parse_qsl(text, keep_blank_values=True)])
    try:
        found = json.loads(request.body or b"{}", object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise AccessDenied("The request body is not valid JSON.") from None
    return found if isinstance(found, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises AccessDenied for what is named twice: the companion could take the other one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AccessDenied("The request names a parameter twice.")
    return found


def _operation(request: CompanionRequest, params: Params) -> str:
    target = request.headers.get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return target.rpartition(".")[2]
    if isinstance(action := params.get("Action"), str):
        return action
    if "/operation/" in request.path:
        return request.path.rpartition("/operation/")[2]
    try:
        return Service.load(request.service).route(request.method, request.path, request.query).name
    except (LookupError, UnknownOperation):
        raise AccessDenied(f"Ingle does not know which permission this request to {request.service} takes.") from None
