"""AWS protocols, driven by service models in botocore's format: bytes to parameters, results to bytes.

    service = Service.load("lambda")
    operation = service.route(method, raw_path, query)
    params = operation.parse(HttpRequest(...))
    response = operation.serialize(result)

Owns routing, parsing, constraint checks, serialising and errors. Knows no service: what a service does differently
from its model is data in `overrides`. Imports nothing of Ingle but where its own model is, and no code of botocore.
Called by `frontend` only.
"""

from __future__ import annotations

from ingle.wire.aws_query import QUERY
from ingle.wire.codec import Protocol
from ingle.wire.compression import inflate
from ingle.wire.json_text import explain as explain_json_error
from ingle.wire.messages import (
    ConstraintViolation,
    ErrorAnswer,
    HttpRequest,
    HttpResponse,
    SerializationFailure,
    UnknownOperation,
    WireError,
)
from ingle.wire.rpc_v2_cbor import RPC_V2_CBOR
from ingle.wire.service import REST_JSON, Operation, Service, choose_protocol

__all__ = [
    "QUERY",
    "REST_JSON",
    "RPC_V2_CBOR",
    "ConstraintViolation",
    "ErrorAnswer",
    "HttpRequest",
    "HttpResponse",
    "Operation",
    "Protocol",
    "SerializationFailure",
    "Service",
    "UnknownOperation",
    "WireError",
    "choose_protocol",
    "explain_json_error",
    "inflate",
]
