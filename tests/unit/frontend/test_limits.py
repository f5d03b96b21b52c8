from __future__ import annotations

import pytest

from ingle.frontend.limits import body_limit


@pytest.mark.parametrize(
    ("operation", "size"),
    [
        ("CreateFunction", 70167211),
        ("UpdateFunctionCode", 70167211),
        ("UpdateFunctionConfiguration", 1048576),
        ("TagResource", 6291456),
    ],
)
def test_limits_of_operations(operation, size):
    limit = body_limit("lambda", operation, {})
    assert limit.size == size
    error = limit.error(size + 1)
    assert error.code == "RequestEntityTooLargeException"
    assert error.message == f"Request must be smaller than {size} bytes for the {operation} operation"


@pytest.mark.parametrize(
    ("operation", "kind", "size"),
    [
        ("Invoke", None, 6291456),
        ("Invoke", b"RequestResponse", 6291456),
        ("Invoke", b"DryRun", 6291456),
        ("Invoke", b"Event", 1048576),
        ("Invoke", b"Nonsense", 6291456),
        ("InvokeAsync", None, 262144),
    ],
)
def test_limits_of_payloads(operation, kind, size):
    headers = {} if kind is None else {b"x-amz-invocation-type": kind}
    assert body_limit("lambda", operation, headers).size == size
