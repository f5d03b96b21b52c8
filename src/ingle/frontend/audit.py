"""Records of management calls in CloudTrail's shape: who did what, from where, and how it ended.

Secrets and payloads are never in a record. Calls of the data plane (invocations, log events, metric values) have none.
Source: "CloudTrail record contents" in the CloudTrail user guide. Called by `dispatch`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ingle.domain.access.principals import Kind
from ingle.domain.caller import Caller
from ingle.frontend.authorization.authorizer import Explained

_DATA = frozenset(
    {("lambda", name) for name in ("Invoke", "InvokeAsync", "InvokeWithResponseStream")}
    | {("logs", name) for name in ("PutLogEvents", "GetLogEvents", "FilterLogEvents", "StartLiveTail")}
    | {("cloudwatch", name) for name in ("PutMetricData", "GetMetricData", "GetMetricStatistics")}
)
_READS = ("Get", "List", "Describe", "Filter", "Lookup")
_SOURCES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging"}
_SECRET = re.compile(
    r"secret|password|token|credential|zipfile|plaintext|ciphertext|privatekey|environment|location|^event$",
    re.IGNORECASE,
)
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_TYPES = {Kind.ROOT: "Root", Kind.USER: "IAMUser", Kind.ASSUMED_ROLE: "AssumedRole"}


def is_management(service: str, operation: str) -> bool:
    return (service, operation) not in _DATA


def record(
    caller: Caller, service: str, operation: str, *, now: float, event_id: str, params: Mapping[str, Any] | None,
    result: Mapping[str, Any] | None, error: tuple[str, str | None] | None, api_version: str, believed: bool,
    explained: Iterable[Explained] = (),
) -> dict[str, Any]:  # fmt: skip
    """`error`: code and message; `params` and `result`: as far as the call came. `believed`: it is who it says.

    `explained`: what it needed, and what decided about that.
    """
    reads = operation.startswith(_READS)
    name = f"{operation}{api_version.replace('-', '')}" if service == "lambda" else operation
    source = service if service == "ingle" else f"{_SOURCES.get(service, service)}.amazonaws.com"
    found: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(caller) if believed else _claimed(caller),
        "eventTime": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": source,
        "eventName": name,
        "awsRegion": caller.region,
        "sourceIPAddress": caller.source_ip,
        "userAgent": caller.user_agent[:1024],
        "requestParameters": None if params is None else _shown(params),
        "responseElements": None if reads or result is None else _shown(result),
        "requestID": caller.request_id,
        "eventID": event_id,
        "readOnly": reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": caller.account,
        "eventCategory": "Management",
    }
    if decisions := [_decision(item) for item in explained]:
        found["additionalEventData"] = {"authorization": decisions}
    if error is not None:
        found["errorCode"], found["errorMessage"] = error
    return found


def _decision(explained: Explained) -> dict[str, Any]:
    """By which statement of which policy something is allowed or denied; without one it is what nothing allows."""
    need, decision = explained
    found: dict[str, Any] = {
        "action": need.action, "resource": need.resource or "*", "decision": "allow" if decision.allowed else "deny"
    }  # fmt: skip
    if decision.source is not None:
        found["policyType"] = decision.source.value
    if decision.by is not None:
        found["policy"], found["statement"] = decision.by
    return found


def _claimed(caller: Caller) -> dict[str, Any]:
    return {"type": "Unknown", "principalId": "", "accountId": "", "accessKeyId": caller.access_key_id or ""}


def _identity(caller: Caller) -> dict[str, Any]:
    principal = caller.principal
    found: dict[str, Any] = {
        "type": _TYPES.get(principal.kind, "Unknown"), "principalId": principal.unique_id, "arn": principal.arn,
        "accountId": principal.account, "accessKeyId": caller.access_key_id or "",
    }  # fmt: skip
    if principal.kind is Kind.USER:
        found["userName"] = principal.name
    if principal.kind is Kind.ASSUMED_ROLE:
        found["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role", "principalId": principal.role_id, "arn": principal.role_arn,
                "accountId": principal.account, "userName": principal.name,
            },
        }  # fmt: skip
    return found


def _shown(value: Any, depth: int = 0) -> Any:
    """Members in CloudTrail's spelling, without secrets, cut where they are deep or long."""
    if depth > 8:
        return "..."
    if isinstance(value, Mapping):
        return {
            _spelled(str(key)): _HIDDEN if _SECRET.search(str(key)) else _shown(item, depth + 1)
            for key, item in list(value.items())[:200]
        }
    if isinstance(value, list | tuple):
        return [_shown(item, depth + 1) for item in value[:200]]
    if isinstance(value, bytes):
        return _HIDDEN
    return value[:4096] if isinstance(value, str) else value


def _spelled(name: str) -> str:
    return name[:1].lower() + name[1:]
