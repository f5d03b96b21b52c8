"""Function names in all their forms, and the ARNs they stand for.

Owns the parsing of a `FunctionName` (name, partial ARN, full ARN, each with or without a qualifier) and the checks that
need no stored state, in AWS's order: syntax, region, account, qualifier. Whether the function exists is asked by the
caller of this module: `control` for the API's operations, `invoke` for invocations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ingle.domain.errors import AccessDenied, InvalidParameterValue, ResourceNotFound, ValidationError
from ingle.domain.function import LATEST, FunctionKey

#: What AWS prints when a name has none of the forms. It is printed unanchored and matched against the whole value.
NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)

_NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?",
    re.ASCII,
)

#: Longest prefix first: the first one that fits decides.
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)

#: Bounds the memory of parsed names; a name beyond it is parsed again, which costs a few microseconds.
_REMEMBERED = 8192


def partition_of(region: str) -> str:
    """The partition that a region belongs to: `aws` for every region outside the special ones."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionArn:
    """The ARN of a function, or of one version or alias of it when `qualifier` is set."""

    region: str
    account: str
    name: str
    qualifier: str | None = None

    def __str__(self) -> str:
        arn = f"arn:{partition_of(self.region)}:lambda:{self.region}:{self.account}:function:{self.name}"
        return arn if self.qualifier is None else f"{arn}:{self.qualifier}"

    @staticmethod
    def of(key: FunctionKey, qualifier: str | None = None) -> FunctionArn:
        return FunctionArn(region=key.region, account=key.account, name=key.name, qualifier=qualifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """A `FunctionName` taken apart. None: the form that was used does not say."""

    name: str
    region: str | None = None
    account: str | None = None
    qualifier: str | None = None

    @staticmethod
    def parse(text: str) -> FunctionName:
        """Take any of the forms apart. `arn:...:function` is, as on AWS, a function whose name is `function`.

        Raises ValidationError for text of no form; the constraints of the service model refuse most of it earlier.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise ValidationError(
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {NAME_PATTERN}"
            )
        return FunctionName(
            name=match["name"], region=match["region"], account=match["account"], qualifier=match["qualifier"]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReference:
    """Which function, and which version or alias of it, a request means.

    `qualifier` is what the caller gave, in the name or beside it, or None. `arn` has the qualifier exactly if the
    caller used one.
    """

    key: FunctionKey
    qualifier: str | None
    arn: str
    unqualified_arn: str

    @property
    def is_latest(self) -> bool:
        """The unpublished version is meant: by `$LATEST` or by no qualifier at all."""
        return self.qualifier is None or self.qualifier == LATEST

    def arn_of(self, qualifier: str) -> str:
        return f"{self.unqualified_arn}:{qualifier}"


@lru_cache(maxsize=_REMEMBERED)
def refer(
    account: str, region: str, function_name: str, qualifier: str | None, action: str | None
) -> FunctionReference:
    """What `function_name` and `qualifier` mean to a caller of `account` in `region`.

    `action` is the IAM action (`InvokeFunction`, ...) that a refusal names; None, as CreateFunction has it, refuses
    with a null message. Remembered by its arguments, errors excepted, since every invocation asks.

    Raises, in this order: ValidationError (syntax), ResourceNotFound (another region), AccessDenied (another account),
    InvalidParameterValue (two qualifiers that differ).
    """
    parsed = FunctionName.parse(function_name)
    if parsed.region is not None and parsed.region != region:
        raise ResourceNotFound(f"Functions from '{parsed.region}' are not reachable in this region ('{region}')")
    if parsed.account is not None and parsed.account != account:
        asked = FunctionArn(
            region=region, account=parsed.account, name=parsed.name, qualifier=parsed.qualifier or qualifier
        )
        raise _access_denied(account, region, asked, action)
    if parsed.qualifier is not None and qualifier is not None and parsed.qualifier != qualifier:
        raise InvalidParameterValue(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    key = FunctionKey(account=account, region=region, name=parsed.name)
    effective = parsed.qualifier if qualifier is None else qualifier
    return FunctionReference(
        key=key,
        qualifier=effective,
        arn=str(FunctionArn.of(key, effective)),
        unqualified_arn=str(FunctionArn.of(key)),
    )


def _access_denied(account: str, region: str, asked: FunctionArn, action: str | None) -> AccessDenied:
    if action is None:
        return AccessDenied(None)
    return AccessDenied(
        f"User: arn:{partition_of(region)}:iam::{account}:root is not authorized to perform: lambda:{action} "
        f"on resource: {asked} because no resource-based policy allows the lambda:{action} action"
    )
