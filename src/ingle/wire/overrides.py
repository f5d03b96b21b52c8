"""Where what AWS prints or checks differs from the model that botocore ships. Data only, each with its source.

"Recorded" means: seen in an answer of the real service. `constraints` and `rest_json` read these tables; nothing here
changes which members an operation has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeOverride:
    """Changes to one shape's constraints.

    `enum`: the values in the order AWS prints them; values the model adds later follow.
    `printed_pattern`: what messages show, where the pattern that is checked stays the model's.
    `skip_enum`: the value set is checked elsewhere, with a text of its own.
    `omit_not_null`: messages about elements, keys or values do not end in `Member must not be null`.
    """

    enum: tuple[str, ...] = ()
    printed_pattern: str | None = None
    skip_enum: bool = False
    omit_not_null: bool = False


_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"

SHAPES: Mapping[tuple[str, str], ShapeOverride] = {
    # AWS answers InvalidParameterValueException with a text of its own; the control plane knows which runtimes are
    # deprecated and says so.
    ("lambda", "Runtime"): ShapeOverride(skip_enum=True),
    # Recorded: creating a function URL with InvokeMode UNKNOWN.
    ("lambda", "InvokeMode"): ShapeOverride(enum=("RESPONSE_STREAM", "BUFFERED")),
    # Recorded: creating an event source mapping with an invalid StartingPosition.
    ("lambda", "EventSourcePosition"): ShapeOverride(enum=("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")),
    # Recorded: PutFunctionRecursionConfig with InvalidValue.
    ("lambda", "RecursiveLoop"): ShapeOverride(enum=("Terminate", "Allow")),
    # Recorded: a layer ARN without a version; the model has one more pair of parentheses.
    ("lambda", "LayerVersionArn"): ShapeOverride(
        printed_pattern=rf"(arn:(aws[a-zA-Z-]*)?:lambda:{_REGION}:\d{{12}}:layer:[a-zA-Z0-9-_]+:[0-9]+)"
        r"|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
    ),
    # Recorded: bad subnet and security group ids.
    ("lambda", "SubnetIds"): ShapeOverride(omit_not_null=True),
    ("lambda", "SecurityGroupIds"): ShapeOverride(omit_not_null=True),
    # Reported by users of the service: a variable whose name breaks the pattern.
    ("lambda", "EnvironmentVariables"): ShapeOverride(omit_not_null=True),
}

#: Content type of answers whose payload member is a blob, by output shape. AWS answers a function's result as JSON.
PAYLOAD_CONTENT_TYPES: Mapping[tuple[str, str], bytes] = {("lambda", "InvocationResponse"): b"application/json"}

#: Headers of answers that have another name than the model's, by output shape and member: a stream of events has a
#: content type of its own. Source: what API Gateway and the SDKs do with the header.
HEADER_NAMES: Mapping[tuple[str, str, str], bytes] = {
    ("lambda", "InvokeWithResponseStreamResponse", "ResponseStreamContentType"): b"x-amzn-remapped-content-type"
}

NO_OVERRIDE = ShapeOverride()


def for_shape(service: str, shape: str) -> ShapeOverride:
    return SHAPES.get((service, shape), NO_OVERRIDE)
