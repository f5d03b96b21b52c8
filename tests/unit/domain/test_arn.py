"""Names in all their forms, and the order of the checks that need no stored state."""

from __future__ import annotations

import pytest

from ingle.domain.arn import FunctionArn, FunctionName, partition_of, refer
from ingle.domain.errors import AccessDenied, InvalidParameterValue, ResourceNotFound, ServiceError, ValidationError
from ingle.domain.function import FunctionKey

ACCOUNT, REGION = "111111111111", "us-east-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"


@pytest.mark.parametrize(
    ("text", "name", "qualifier"),
    [
        ("F", "F", None),
        ("F:1", "F", "1"),
        ("F:prod", "F", "prod"),
        ("F:$LATEST", "F", "$LATEST"),
        ("function:F", "F", None),
        ("function:F:prod", "F", "prod"),
        (f"{ACCOUNT}:function:F", "F", None),
        (f"{ACCOUNT}:function:F:1", "F", "1"),
        (f"{ACCOUNT}:F", "F", None),
        (f"{ARN}:F", "F", None),
        (f"{ARN}:F:$LATEST", "F", "$LATEST"),
        (f"{ARN}:F:7", "F", "7"),
        (ARN, "function", None),
        ("function", "function", None),
        ("with.dot", "with.dot", None),
    ],
)
def test_every_form_of_a_name_is_understood(text: str, name: str, qualifier: str | None) -> None:
    reference = refer(ACCOUNT, REGION, text, None, "GetFunction")
    assert reference.key == FunctionKey(account=ACCOUNT, region=REGION, name=name)
    assert reference.qualifier == qualifier
    assert reference.unqualified_arn == f"{ARN}:{name}"
    assert reference.arn == (f"{ARN}:{name}" if qualifier is None else f"{ARN}:{name}:{qualifier}")


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "my-function!",
        "",
        f"{ARN}:F:1:2",
        "function:F:$LATEST:extra",
        f"arn:aws:s3:{REGION}:{ACCOUNT}:function:F",
        f"arn:aws:lambda::{ACCOUNT}:function:F",
        f"arn:aws:lambda:{REGION}::function:F",
        f"arn:aws:lambda:nowhere:{ACCOUNT}:function:F",
        f"{ARN}:F:$LATES",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}@function:F",
        "٠١٢٣٤٥٦٧٨٩٠١:F",
    ],
)
def test_text_of_no_form_breaks_the_pattern(text: str) -> None:
    with pytest.raises(ValidationError, match="Member must satisfy regular expression pattern") as raised:
        FunctionName.parse(text)
    assert str(raised.value.message).startswith(f"1 validation error detected: Value '{text}' at 'functionName'")


def test_a_function_of_another_region_is_not_reachable() -> None:
    with pytest.raises(ResourceNotFound) as raised:
        refer(ACCOUNT, REGION, f"arn:aws:lambda:ap-southeast-1:{ACCOUNT}:function:F", None, "InvokeFunction")
    assert raised.value.message == "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')"


def test_creating_in_another_account_is_denied_with_a_null_message() -> None:
    with pytest.raises(AccessDenied) as raised:
        refer(ACCOUNT, REGION, "222222222222:function:F", None, None)
    assert raised.value.message is None


def test_a_function_of_another_account_is_denied_by_name() -> None:
    with pytest.raises(AccessDenied) as raised:
        refer(ACCOUNT, REGION, "222222222222:function:F", "1", "GetFunction")
    assert raised.value.message == (
        f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: lambda:GetFunction on resource: "
        "arn:aws:lambda:us-east-1:222222222222:function:F:1 because no resource-based policy allows the "
        "lambda:GetFunction action"
    )


def test_two_qualifiers_that_differ_do_not_match() -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        refer(ACCOUNT, REGION, "F:$LATEST", "1", "GetFunction")
    assert raised.value.message == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )


def test_two_qualifiers_that_agree_are_one() -> None:
    assert refer(ACCOUNT, REGION, "F:prod", "prod", "GetFunction").arn == f"{ARN}:F:prod"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("arn:aws:lambda:eu-west-1:222222222222:function:F:1", ResourceNotFound),
        (f"arn:aws:lambda:{REGION}:222222222222:function:F:1", AccessDenied),
        (f"{ARN}:F:1", InvalidParameterValue),
    ],
)
def test_region_is_checked_before_account_before_qualifier(name: str, error: type[ServiceError]) -> None:
    with pytest.raises(error):
        refer(ACCOUNT, REGION, name, "2", "GetFunction")


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_partition_follows_from_the_region(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    arn = str(FunctionArn(region=region, account=ACCOUNT, name="F"))
    assert arn == f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:F"
    assert FunctionName.parse(arn).region == region
