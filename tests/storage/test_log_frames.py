"""Frames are whole or not there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingle.storage.log_frames import Kind, decode_events, encode_mark, scan
from ingle.storage.log_frames import encode_events as encode_columns

_events = st.lists(st.tuples(st.integers(-(2**62), 2**62), st.text(max_size=30)), min_size=1, max_size=5)


def encode_events(stream: str, ingestion: int, events: list[tuple[int, str]]) -> bytes:
    return encode_columns(stream, ingestion, [time for time, _ in events], [text.encode() for _, text in events])


@given(stream=st.text(min_size=1, max_size=20), events=_events, ingestion=st.integers(0, 2**50))
def test_events_come_back(stream: str, events: list[tuple[int, str]], ingestion: int):
    data = encode_events(stream, ingestion, events)
    (frame,) = scan(data, verify=True)
    assert (frame.stream, frame.events, frame.ingestion) == (stream, len(events), ingestion)
    assert (frame.first, frame.last) == (min(events)[0], max(events)[0])
    assert decode_events(data, frame) == events


@settings(max_examples=200)
@given(events=_events, more=_events, data=st.data())
def test_a_torn_or_damaged_frame_ends_the_scan_and_spares_those_before(
    events: list[tuple[int, str]], more: list[tuple[int, str]], data: st.DataObject
):
    first, second = encode_events("a", 1, events), encode_events("b", 2, more)
    cut = data.draw(st.integers(0, len(second) - 1))
    assert [frame.stream for frame in scan(first + second[:cut], verify=True)] == ["a"]
    damaged = bytearray(second)
    damaged[cut] ^= data.draw(st.integers(1, 255))
    assert [frame.stream for frame in scan(first + bytes(damaged), verify=True)] == ["a"]


@given(garbage=st.binary(max_size=200))
def test_garbage_is_no_frame(garbage: bytes):
    assert list(scan(garbage, verify=True)) == []


def test_a_large_batch_is_cut_into_frames():
    events = [(number, "x" * 100_000) for number in range(20)]
    data = encode_events("s", 1, events)
    frames = list(scan(data, verify=True))
    assert len(frames) > 3
    assert [event for frame in frames for event in decode_events(data, frame)] == events


def test_bytes_that_are_not_utf_8_are_kept_and_replaced_when_they_are_read():
    data = encode_columns("s", 1, [1], [b"a\xffb"])
    (frame,) = scan(data, verify=True)
    assert b"a\xffb" in data
    assert decode_events(data, frame) == [(1, "a\ufffdb")]


def test_a_mark_has_no_events():
    (frame,) = scan(encode_mark(Kind.DELETED, "s", 7), verify=True)
    assert (frame.kind, frame.stream, frame.events, frame.ingestion) == (Kind.DELETED, "s", 0, 7)


def test_a_timestamp_beyond_64_bits_is_brought_to_the_edge():
    data = encode_events("s", 1, [(10**30, "late"), (-(10**30), "early")])
    (frame,) = scan(data, verify=True)
    assert decode_events(data, frame) == [(2**62, "late"), (-(2**62), "early")]
