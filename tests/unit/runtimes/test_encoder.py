"""Results as JSON: the same text as AWS's encoder writes, for whatever consists of what JSON can hold."""

from __future__ import annotations

import collections
import decimal
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingle.runtimes.python._ingle_json import Encoder, decode

Point = collections.namedtuple("Point", "x y")  # noqa: PYI024 - what functions return

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.binary(max_size=4)
    | st.text(alphabet="\ue000:0123456789abcdef\"\\")
)  # fmt: skip
KEYS = (
    st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.binary(max_size=3).map(b"bytes:".__add__)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.builds(Point, inner, inner)
    | st.dictionaries(KEYS, inner, max_size=4)
    | st.dictionaries(KEYS, inner, max_size=4).map(collections.OrderedDict),
    max_leaves=12,
)  # fmt: skip


def outcome(encode: Any, value: Any) -> str:
    """The text, or the kind of the error: which of several is found first is up to the encoder."""
    try:
        return encode(value)
    except Exception as error:
        return type(error).__name__


@pytest.fixture(params=[True, False], ids=["escaped", "as it is"], scope="module")
def encoders(request: Any) -> Any:
    """Ours and AWS's. AWS's knows by its environment whether to escape."""
    marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller")
    before = os.environ.get("AWS_EXECUTION_ENV")
    os.environ["AWS_EXECUTION_ENV"] = "AWS_Lambda_python3." + ("11" if request.param else "12")
    theirs = marshaller.Encoder()
    del os.environ["AWS_EXECUTION_ENV"]
    if before is not None:
        os.environ["AWS_EXECUTION_ENV"] = before
    return Encoder(ascii_only=request.param).encode, theirs.encode


@settings(max_examples=400, deadline=None)
@given(value=VALUES)
def test_everything_is_written_as_aws_writes_it(encoders: Any, value: Any) -> None:
    ours, theirs = encoders
    assert outcome(ours, value) == outcome(theirs, value)


def test_a_failure_leaves_the_encoder_as_it_was() -> None:
    encoder = Encoder(ascii_only=True)
    with pytest.raises(TypeError):
        encoder.encode([decimal.Decimal("1.5"), {1}])
    assert encoder.encode(["x", decimal.Decimal("1.50")]) == '["x", 1.50]'
    assert encoder.encode("plain") == '"plain"'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[-Infinity]"])
def test_constants_that_are_no_json_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        decode(text)
