"""What trace headers tell of functions that invoke themselves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.function import FunctionKey
from ingle.domain.recursion import onward, passes

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
F, G = (FunctionKey(account="000000000000", region="us-east-1", name=name) for name in "fg")


def test_each_pass_of_a_function_is_counted():
    header = ROOT
    for count in range(20):
        assert passes(header, F) == count
        header = onward(header, F)
    assert re.fullmatch(re.escape(ROOT) + r";Lineage=[0-9a-f]{8}:19", header)


def test_functions_that_invoke_each_other_are_counted_apart():
    header = ROOT
    for count in range(5):
        header = onward(header, F)
        assert (passes(header, F), passes(header, G)) == (count + 1, count)
        header = onward(header, G)
    assert header.count("|") == 1


@pytest.mark.parametrize("encode", [lambda text: text, lambda text: text.replace("|", "%7C")])
def test_a_header_is_read_however_clients_encode_it(encode):
    header = encode(onward(onward(ROOT, F), G))
    assert (passes(header, F), passes(header, G)) == (1, 1)


def test_a_way_through_ever_new_functions_does_not_grow_a_header_forever():
    header = ROOT
    for number in range(100):
        header = onward(header, FunctionKey(account="0" * 12, region="us-east-1", name=f"f{number}"))
    assert len(header) < 300


@given(st.text(max_size=100))
def test_any_header_is_read(text):
    for header in (text, f"{ROOT};Lineage={text}"):
        count = passes(header, F)
        assert passes(onward(header, F), F) in (count + 1, 256)
