"""What a request to a service that Ingle hands on says: its operation, and its members.

Read so that nobody can read it in another way: the protocol has to be one of the service's, the operation is named in
one place, and what a companion might take for something else is refused. Called for callers who have to be authorised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from ingle.domain.errors import AccessDenied
from ingle.wire import Service, UnknownOperation

Params = Mapping[str, Any]

#: Services whose models are called otherwise than what requests are signed for.
_MODELS: Mapping[str, tuple[str, ...]] = {
    "apigateway": ("apigateway", "apigatewayv2"), "aoss": ("opensearchserverless",), "cassandra": ("keyspaces",),
    "dynamodb": ("dynamodb", "dynamodbstreams"), "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elb", "elbv2"), "elasticmapreduce": ("emr",), "es": ("es", "opensearch"),
    "execute-api": ("apigatewaymanagementapi",), "geo": ("location",), "iotdata": ("iot-data",),
    "kinesisanalytics": ("kinesisanalytics", "kinesisanalyticsv2"), "rds": ("rds",), "ses": ("ses", "sesv2"),
    "servicequotas": ("service-quotas",), "sso": ("sso-admin",), "states": ("stepfunctions",),
    "timestream": ("timestream-query", "timestream-write"),
}  # fmt: skip
_JSON = ("application/x-amz-json-1.0", "application/x-amz-json-1.1")
_FORM = "application/x-www-form-urlencoded"
_CBOR_PATH = re.compile(r"/service/[A-Za-z0-9_.]+/operation/([A-Za-z0-9]+)")
_QUEUE_PATH = re.compile(r"/\d{12}/[A-Za-z0-9_.-]+", re.ASCII)
#: What lists of SQS are called in forms, which its model does not tell any more.
_SQS_LISTS = frozenset((
    "AWSAccountId", "ActionName", "Attribute", "AttributeName", "ChangeMessageVisibilityBatchRequestEntry",
    "DeleteMessageBatchRequestEntry", "MessageAttribute", "MessageAttributeName", "MessageSystemAttribute",
    "MessageSystemAttributeName", "SendMessageBatchRequestEntry", "Tag", "TagKey",
))  # fmt: skip
#: Parameters of a form.
_MOST = 10_000
#: Services of which the members count, since they name resources.
_STRICT = frozenset(("sqs", "sns", "events"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanionRequest:
    """A request as it is handed on. `path` names the bucket first, whatever the host does.

    `body` is whole, but of requests to S3 there for a list of objects to delete only.
    """

    service: str
    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""

    @property
    def media_type(self) -> str:
        return self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`params`: members by their names, or the parameters of a form."""

    operation: str
    params: Params = field(default_factory=dict)


def read(request: CompanionRequest) -> Reading:
    """Raises AccessDenied for what cannot be read in one way only. Loads models: call it in a thread if it may wait."""
    models = _models(request.service)
    if not models:
        raise AccessDenied(f"Ingle does not know the service {request.service}.")
    if b"x-amz-target" in request.headers:
        found, members = _read_json(request, models)
    elif b"smithy-protocol" in request.headers:
        found, members = _read_cbor(request, models)
    elif _is_form(request, models):
        found, members = _read_form(request, models)
    else:
        return _read_path(request, models)
    if request.service in _STRICT:
        _require_members(found, members)
    return found


def _is_form(request: CompanionRequest, models: tuple[Service, ...]) -> bool:
    placed = request.path == "/" or (request.service == "sqs" and _QUEUE_PATH.fullmatch(request.path) is not None)
    return placed and (request.service == "sqs" or any({"query", "ec2"} & set(model.protocols) for model in models))


@lru_cache(maxsize=256)
def _models(service: str) -> tuple[Service, ...]:
    found = []
    for name in _MODELS.get(service, (service,)):
        try:
            model = Service.load(name)
        except LookupError:
            continue
        if model.signing_name == service:
            found.append(model)
    return tuple(found)


def _read_json(request: CompanionRequest, models: tuple[Service, ...]) -> tuple[Reading, frozenset[str]]:
    prefix, _, name = request.headers[b"x-amz-target"].decode("latin-1").rpartition(".")
    model = next((item for item in models if item.target_prefix == prefix and name in item.operation_names), None)
    plain = request.method == "POST" and request.path == "/" and not request.query
    if model is None or not plain or request.media_type not in _JSON or "json" not in model.protocols:
        raise _unreadable(request)
    try:
        params = json.loads(request.body or b"{}", object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _unreadable(request) from None
    if not isinstance(params, dict):
        raise _unreadable(request)
    return Reading(operation=name, params=params), model.input_members(name)


def _read_cbor(request: CompanionRequest, models: tuple[Service, ...]) -> tuple[Reading, frozenset[str]]:
    """Members are not read, so services of which they count cannot speak it."""
    found = _CBOR_PATH.fullmatch(request.path)
    name = "" if found is None else found[1]
    model = next((item for item in models if "smithy-rpc-v2-cbor" in item.protocols), None)
    known = model is not None and name in model.operation_names and request.service not in _STRICT
    if not known or request.method != "POST" or request.query or request.media_type != "application/cbor":
        raise _unreadable(request)
    return Reading(operation=name), frozenset()


def _read_form(request: CompanionRequest, models: tuple[Service, ...]) -> tuple[Reading, frozenset[str]]:
    if request.method == "POST":
        alone = request.media_type == _FORM and not request.query
        text = request.body.decode("latin-1")
    else:
        alone = request.method == "GET" and not request.body
        text = request.query
    if not alone:
        raise _unreadable(request)
    try:
        params = _once(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST))
    except ValueError:
        raise _unreadable(request) from None
    params = {name: value for name, value in params.items() if not name.lower().startswith("x-amz-")}
    name = params.get("Action", "")
    model = next((item for item in models if name in item.operation_names), None)
    if model is None:
        raise _unreadable(request)
    members = model.input_members(name) | {"Action", "Version"}
    return Reading(operation=name, params=params), members | (_SQS_LISTS if request.service == "sqs" else frozenset())


def _read_path(request: CompanionRequest, models: tuple[Service, ...]) -> Reading:
    """Services that speak REST: the operation is the method with the path."""
    if any(name.lower() == "action" for name, _ in parse_qsl(request.query, keep_blank_values=True)):
        raise _unreadable(request)
    for model in models:
        if not any(protocol.startswith("rest") for protocol in model.protocols):
            continue
        try:
            return Reading(operation=model.route(request.method, request.path, request.query).name)
        except UnknownOperation:
            continue
    raise _unreadable(request)


def _require_members(found: Reading, members: frozenset[str]) -> None:
    """What the operation has no member for, a companion could take for another member."""
    for name in found.params:
        if name.partition(".")[0] not in members:
            raise AccessDenied(f"{found.operation} has no member {name[:100]}.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises AccessDenied for what is named twice: the companion could take the other one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AccessDenied("The request names a parameter twice.")
    return found


def _unreadable(request: CompanionRequest) -> AccessDenied:
    return AccessDenied(f"Ingle does not know which permission this request to {request.service} takes.")
