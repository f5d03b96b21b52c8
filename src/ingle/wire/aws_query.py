"""The query protocol: the operation and its members are form parameters, answers are XML.

`Action` and `Version` stand among the parameters, in the body of a POST to `/` or in the query string, so the body is
read before the operation is known. EC2's dialect of it, with other names and answers, is in `ec2_query`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.wire import ec2_query
from ingle.wire.codec import CompiledModel, Parse, Serialize, is_senders_fault, modelled_status, speaks, wire_code
from ingle.wire.constraints import enforce
from ingle.wire.messages import ErrorAnswer, HttpRequest, HttpResponse, SerializationFailure, UnknownOperation
from ingle.wire.query_values import read_form
from ingle.wire.xml_values import element, escape

_HEADERS = [(b"content-type", b"text/xml")]
#: How services of this protocol call what others call as on the left; codes that a model has are the model's.
_CODES: Mapping[str, str] = {
    "AccessDeniedException": "AccessDenied",
    "ExpiredTokenException": "ExpiredToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "SerializationException": "MalformedQueryString",
    "ServiceException": "InternalFailure",
    "ThrottlingException": "Throttling",
    "UnknownOperationException": "InvalidAction",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "ValidationException": "ValidationError",
}


class AwsQuery:
    """See `codec.Protocol`. A target is `Version.Action`."""

    name = "query"

    def target(self, request: HttpRequest) -> str:
        """Which operation a request means. Raises UnknownOperation, SerializationFailure."""
        form = read_form(request.query, request.body)
        action, version = form.get("Action"), form.get("Version", "")
        if not isinstance(action, str) or not isinstance(version, str):
            raise UnknownOperation("The request must contain the parameter Action.")
        return f"{version}.{action}"

    def find(self, compiled: CompiledModel, method: str, path: str, query: str, target: str) -> str:
        version, _, name = target.partition(".")
        of_ec2 = speaks(compiled.model, ec2_query.PROTOCOL)
        if name in compiled.model.operations and (of_ec2 or speaks(compiled.model, "query")):
            return name
        if of_ec2:
            raise UnknownOperation(f"The action {name} is not valid for this web service.")
        raise UnknownOperation(f"Could not find operation {name} for version {version or 'NO_VERSION_SPECIFIED'}")

    def compile(self, compiled: CompiledModel, operation: str) -> tuple[Parse, Serialize]:
        model = compiled.model
        if speaks(model, ec2_query.PROTOCOL):
            return ec2_query.compile_parse(model, operation), ec2_query.compile_serialize(model, operation)
        return _compile_parse(compiled, operation), _compile_serialize(compiled, operation)

    def error(self, compiled: CompiledModel, answer: ErrorAnswer) -> HttpResponse:
        if speaks(compiled.model, ec2_query.PROTOCOL):
            return ec2_query.error(answer.code, answer.message, modelled_status(compiled.model, answer))
        code = wire_code(compiled.model, answer.code)
        if not compiled.model.has_shape(answer.code):
            code = _CODES.get(code, code)
        fault = "Sender" if is_senders_fault(compiled.model, answer) else "Receiver"
        content = element("Type", fault) + element("Code", escape(code))
        content += element("Message", escape(answer.message or ""))
        content += "".join([element(name, escape(str(value))) for name, value in answer.members.items()])
        body = _document(compiled, "ErrorResponse", element("Error", content))
        status = modelled_status(compiled.model, answer)
        return HttpResponse(status=status, headers=list(_HEADERS), body=body, id_path=("RequestId",))

    def stamp(self, response: HttpResponse, request_id: str) -> None:
        """The request id stands in the document too, at its end."""
        metadata = request_id
        for name in reversed(response.id_path):
            metadata = element(name, metadata)
        end = response.body.rindex(b"</")
        response.body = response.body[:end] + metadata.encode() + response.body[end:]


def _document(compiled: CompiledModel, name: str, content: str) -> bytes:
    namespace = escape(compiled.model.metadata.get("xmlNamespace", ""))
    return f'<{name} xmlns="{namespace}">{content}</{name}>\n'.encode()


def _compile_parse(compiled: CompiledModel, operation: str) -> Parse:
    shape = compiled.model.io_shape(operation, "input")
    if shape is None:
        return lambda request: {}
    structure = compiled.query_parsers.structure(list(shape.members.values()))
    check = compiled.constraints.compile_input(shape)

    def parse(request: HttpRequest) -> dict[str, Any]:
        try:
            params: dict[str, Any] = structure(read_form(request.query, request.body))
        except RecursionError:
            raise SerializationFailure("The parameters are nested too deeply.") from None
        return enforce(check, params)

    return parse


def _compile_serialize(compiled: CompiledModel, operation: str) -> Serialize:
    shape = compiled.model.io_shape(operation, "output")
    write = None if shape is None else compiled.xml_serializers.structure(list(shape.members.values()))
    wrapper: str | None = (compiled.model.operations[operation].get("output") or {}).get("resultWrapper")

    def serialize(result: Mapping[str, Any]) -> HttpResponse:
        content = "" if write is None else write(result)
        if wrapper is not None:
            content = element(wrapper, content)
        body = _document(compiled, f"{operation}Response", content)
        path = ("ResponseMetadata", "RequestId")
        return HttpResponse(status=200, headers=list(_HEADERS), body=body, id_path=path)

    return serialize


QUERY = AwsQuery()
