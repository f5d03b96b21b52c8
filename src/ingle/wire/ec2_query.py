"""EC2's dialect of the query protocol: every list is flat, members have names of their own, answers carry their request
id as a member, and refusals name the first parameter that is wrong.

`aws_query` uses it for models that speak ec2. Source of the rules: the ec2 protocol as clients write and read it, and
"Error codes for the Amazon EC2 API" in EC2's reference for the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingle.wire.constraints import path_label
from ingle.wire.messages import ConstraintViolation, HttpRequest, HttpResponse, SerializationFailure
from ingle.wire.model import Member, ServiceModel, Shape
from ingle.wire.query_values import FromTree, QueryParsers, numbered, read_form
from ingle.wire.xml_values import XmlSerializers, element, escape

PROTOCOL = "ec2"
_HEADERS = [(b"content-type", b"text/xml;charset=UTF-8")]
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: What EC2 calls what others call as on the left.
_CODES: Mapping[str, str] = {
    "AccessDeniedException": "UnauthorizedOperation",
    "ExpiredTokenException": "RequestExpired",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "AuthFailure",
    "MissingAuthenticationTokenException": "AuthFailure",
    "SerializationException": "InvalidParameterValue",
    "ServiceException": "InternalError",
    "ThrottlingException": "RequestLimitExceeded",
    "UnknownOperationException": "InvalidAction",
    "UnrecognizedClientException": "AuthFailure",
    "ValidationException": "InvalidParameterValue",
}
_STATUS: Mapping[str, int] = {"AuthFailure": 401, "RequestExpired": 400, "RequestLimitExceeded": 503}
#: Parameters that are the protocol's, or of older signatures.
_PROTOCOLS_OWN = frozenset(
    ("Action", "Version", "AWSAccessKeyId", "Expires", "SecurityToken", "Signature", "SignatureMethod",
     "SignatureVersion", "Timestamp")
)  # fmt: skip

Check = Callable[[Any, str], None]


def compile_parse(model: ServiceModel, operation: str) -> Callable[[HttpRequest], dict[str, Any]]:
    shape = model.io_shape(operation, "input")
    members = [] if shape is None else list(shape.members.values())
    parsers = Ec2Parsers()
    structure = parsers.structure(members)
    known = {parsers.name(member) for member in members} | _PROTOCOLS_OWN
    check = None if shape is None else _structure_check(shape, {})

    def parse(request: HttpRequest) -> dict[str, Any]:
        form = read_form(request.query, request.body)
        for name in form:
            if name not in known and not name.lower().startswith("x-amz-"):
                raise ConstraintViolation(f"The parameter {name} is not recognized", "UnknownParameter")
        try:
            params: dict[str, Any] = structure(form)
        except RecursionError:
            raise SerializationFailure("The parameters are nested too deeply.") from None
        if check is not None:
            check(params, "")
        return params

    return parse


def compile_serialize(model: ServiceModel, operation: str) -> Callable[[Mapping[str, Any]], HttpResponse]:
    shape = model.io_shape(operation, "output")
    write = None if shape is None else XmlSerializers().structure(list(shape.members.values()))
    namespace = escape(model.metadata.get("xmlNamespace", ""))

    def serialize(result: Mapping[str, Any]) -> HttpResponse:
        # Operations without members of their own say that they did what was asked for.
        content = element("return", "true") if write is None else write(result)
        body = f'{_DECLARATION}<{operation}Response xmlns="{namespace}">{content}</{operation}Response>'
        return HttpResponse(status=200, headers=list(_HEADERS), body=body.encode(), id_path=("requestId",))

    return serialize


def error(code: str, message: str | None, status: int) -> HttpResponse:
    """`code` and `status` as other services have them."""
    code = _CODES.get(code, code)
    content = element("Code", escape(code)) + element("Message", escape(message or ""))
    body = f"{_DECLARATION}<Response>{element('Errors', element('Error', content))}</Response>"
    return HttpResponse(
        status=_STATUS.get(code, status), headers=list(_HEADERS), body=body.encode(), id_path=("RequestID",)
    )


class Ec2Parsers(QueryParsers):
    """`queryName`, or a name in capital letters; elements of lists stand in the place of the list."""

    def name(self, member: Member) -> str:
        given: str = member.raw.get("queryName", member.wire_name)
        return given[:1].upper() + given[1:] if "queryName" not in member.raw else given

    def list_of(self, shape: Shape, *, flat: bool) -> FromTree:
        convert: FromTree | None = None

        def parse(value: Any) -> list[Any]:
            nonlocal convert
            # Late: a list may hold structures that hold the list.
            convert = convert or self.member(shape.part("member"))
            return [convert(item) for item in numbered(value)]

        return parse


# --- constraints ----------------------------------------------------------------------------------------------------


def _structure_check(shape: Shape, compiled: dict[str, Check | None]) -> Check | None:
    """Raises ConstraintViolation for the first parameter that is missing or wrong. `compiled` is by shape."""
    table = [
        (member.name, path_label(member.name), member.name in shape.required, _check(member.shape, compiled))
        for member in shape.members.values()
    ]  # fmt: skip
    if not any(required or check for _, _, required, check in table):
        return None

    def check_structure(value: Mapping[str, Any], path: str) -> None:
        prefix = f"{path}." if path else ""
        for name, label, required, check in table:
            item = value.get(name)
            if item is None:
                if required:
                    raise ConstraintViolation(
                        f"The request must contain the parameter {prefix}{label}", "MissingParameter"
                    )
            elif check is not None:
                check(item, f"{prefix}{label}")

    return check_structure


def _check(shape: Shape, compiled: dict[str, Check | None]) -> Check | None:
    if shape.type == "structure":
        if shape.name not in compiled:
            compiled[shape.name] = None  # of shapes that hold themselves, the outermost is checked
            compiled[shape.name] = _structure_check(shape, compiled)
        return compiled[shape.name]
    if shape.type == "list":
        return _list_check(shape, compiled)
    if "enum" in shape.raw:
        return _enum_check(frozenset(shape.raw["enum"]))
    if shape.type in ("integer", "long", "double", "float") and ("min" in shape.raw or "max" in shape.raw):
        return _range_check(shape.raw.get("min"), shape.raw.get("max"))
    return None


def _list_check(shape: Shape, compiled: dict[str, Check | None]) -> Check | None:
    inner, longest = _check(shape.part("member").shape, compiled), shape.raw.get("max")
    if inner is None and longest is None:
        return None

    def check(value: list[Any], path: str) -> None:
        if longest is not None and len(value) > longest:
            raise ConstraintViolation(f"The parameter {path} has more than {longest} elements", "InvalidParameterValue")
        if inner is not None:
            for number, item in enumerate(value, 1):
                inner(item, f"{path}.{number}")

    return check


def _enum_check(allowed: frozenset[str]) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in allowed:
            raise ConstraintViolation(
                f"Value ({value}) for parameter {path} is invalid. Invalid value '{value}'", "InvalidParameterValue"
            )

    return check


def _range_check(lowest: float | None, highest: float | None) -> Check:
    def check(value: Any, path: str) -> None:
        wrong = ""
        if lowest is not None and value < lowest:
            wrong = f"greater than or equal to {lowest}"
        elif highest is not None and value > highest:
            wrong = f"less than or equal to {highest}"
        if wrong:
            raise ConstraintViolation(
                f"Value ( {value} ) for parameter {path} is invalid. Expecting a value {wrong}.",
                "InvalidParameterValue",
            )

    return check
