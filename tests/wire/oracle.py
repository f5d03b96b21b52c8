"""Requests as botocore sends them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import botocore.model
import botocore.serialize
from botocore.awsrequest import create_request_object, prepare_request_dict

from ingle import wire


def as_sent_by_botocore(protocol: str, operation: botocore.model.OperationModel, params: Any) -> wire.HttpRequest:
    """`protocol` in botocore's words."""
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation)
    prepare_request_dict(request, "http://localhost:4566")
    prepared = create_request_object(request).prepare()
    url = urlsplit(prepared.url)
    headers = {
        name.lower().encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in prepared.headers.items()
    }
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    return wire.HttpRequest(method=prepared.method, path=url.path, query=url.query, headers=headers, body=body)
