"""From the members of AddPermission to the statement that AWS makes of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingle.domain.arn import partition_of
from ingle.domain.errors import InvalidParameterValue

EVERYBODY = "*"

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?|alexa-[a-z-]+\.amazon\.com", re.ASCII)
_IDENTITY = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):"
    r"(?:iam::\d{12}:(?:root|(?:user|role)/[\w+=,.@/-]+)|sts::\d{12}:(?:assumed-role|federated-user)/[\w+=,.@/-]+)",
    re.ASCII,
)

#: Members that become a condition of StringEquals, in the order in which AWS writes them, with their condition keys.
_EQUAL = (
    ("SourceAccount", "AWS:SourceAccount"),
    ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
    ("PrincipalOrgID", "aws:PrincipalOrgID"),
    ("EventSourceToken", "lambda:EventSourceToken"),
)
_URL_ACTION = "lambda:InvokeFunctionUrl"


def validate(params: Mapping[str, Any], region: str) -> None:
    """Raise InvalidParameterValue for a principal that there cannot be, or a condition that its action does not have.

    Whether an account or an identity exists is not asked.
    """
    _principal(params["Principal"], region)
    if "FunctionUrlAuthType" in params and params["Action"] != _URL_ACTION:
        raise InvalidParameterValue(f"FunctionUrlAuthType is only supported for {_URL_ACTION} action")


def statement_of(params: Mapping[str, Any], region: str, resource: str) -> dict[str, Any]:
    """The statement, its members in AWS's order. Raises what `validate` does."""
    statement: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"], region),
        "Action": params["Action"],
        "Resource": resource,
    }
    condition = _condition(params)
    return {**statement, "Condition": condition} if condition else statement


def _principal(principal: str, region: str) -> str | dict[str, str]:
    if principal == EVERYBODY:
        return EVERYBODY
    partition = partition_of(region)
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:{partition}:iam::{principal}:root"}
    identity = _IDENTITY.fullmatch(principal)
    if identity is not None and identity["partition"] == partition:
        return {"AWS": principal}
    if _SERVICE.fullmatch(principal):
        return {"Service": principal}
    raise InvalidParameterValue("The provided principal was invalid. Please check the principal and try again.")


def _condition(params: Mapping[str, Any]) -> dict[str, Any]:
    equal = {key: params[member] for member, key in _EQUAL if member in params}
    condition: dict[str, Any] = {"StringEquals": equal} if equal else {}
    if "SourceArn" in params:
        condition["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    if "InvokedViaFunctionUrl" in params:
        via = "true" if params["InvokedViaFunctionUrl"] else "false"
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": via}
    return condition
