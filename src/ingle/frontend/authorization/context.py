"""What a request says for the condition keys that all services have. Source: "AWS global condition context keys"."""

from __future__ import annotations

from datetime import UTC, datetime

from ingle.domain.access.authority import Authority
from ingle.domain.access.principals import Kind
from ingle.domain.caller import Caller
from ingle.frontend.authorization.needs import Need

_TYPES = {Kind.ROOT: "Account", Kind.USER: "User", Kind.ASSUMED_ROLE: "AssumedRole"}


def values_of(caller: Caller, authority: Authority, need: Need, now: float) -> dict[str, tuple[str, ...]]:
    """Values by key in lower case. `now` is epoch seconds."""
    principal = authority.principal
    single: dict[str, str | None] = {
        "aws:PrincipalArn": principal.role_arn or principal.arn,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": _TYPES.get(principal.kind),
        "aws:PrincipalIsAWSService": "false",
        "aws:ViaAWSService": "false",
        "aws:userid": principal.unique_id,
        "aws:username": principal.name if principal.kind is Kind.USER else None,
        "aws:SourceIp": caller.source_ip or None,
        "aws:UserAgent": caller.user_agent or None,
        "aws:SecureTransport": "true" if caller.base_url.startswith("https:") else "false",
        "aws:CurrentTime": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "aws:EpochTime": str(int(now)),
        "aws:RequestedRegion": caller.region,
        "aws:ResourceAccount": need.account,
        "aws:SourceIdentity": authority.source_identity,
        "lambda:SourceFunctionArn": authority.function_arn,
    }
    if authority.issued is not None:
        single["aws:TokenIssueTime"] = f"{datetime.fromtimestamp(authority.issued, UTC):%Y-%m-%dT%H:%M:%SZ}"
        single["aws:MultiFactorAuthPresent"] = "false"
    single.update({f"aws:PrincipalTag/{key}": value for key, value in authority.tags.items()})
    values = {key.lower(): (value,) for key, value in single.items() if value is not None}
    own = {key.lower(): (value,) if isinstance(value, str) else value for key, value in need.values().items()}
    return {**own, **values}
