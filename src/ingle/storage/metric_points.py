"""The bytes of a metric's distribution, and the shape of a stored point.

Buckets are pairs of variable-length integers, in the order of the buckets: the distance from the bucket before, and how
many values it has. A minute of a busy function takes about a hundred bytes. Used by `metrics`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ingle.domain.metrics import ZERO, Aggregate

#: The distribution of values that came as a statistic set, or of negative ones: unknown.
UNKNOWN = b"\xff"
#: Distances are from here: below the bucket of the smallest positive float, and what stands for zero.
_ORIGIN = -(1 << 16)


def encode_buckets(aggregate: Aggregate) -> bytes | None:
    """None where the smallest and the largest value tell everything."""
    if aggregate.minimum == aggregate.maximum:
        return None
    if aggregate.buckets is None:
        return UNKNOWN
    out = bytearray()
    before = _ORIGIN
    for bucket in sorted(aggregate.buckets):
        place = _ORIGIN if bucket == ZERO else bucket
        _append(out, place - before)
        # A part of a value counts as one: parts come from callers who weigh their values.
        _append(out, math.ceil(aggregate.buckets[bucket]))
        before = place
    return bytes(out)


def decode_buckets(data: bytes | None, count: float, value: float) -> dict[int, float] | None:
    """What `encode_buckets` wrote; `value` is the smallest value, which is the only one if `data` is None."""
    if data == UNKNOWN:
        return None
    if data is None:
        return None if value < 0 else Aggregate.of([(value, count)]).buckets
    buckets: dict[int, float] = {}
    place = _ORIGIN
    numbers = _numbers(data)
    for distance in numbers:
        place += distance
        buckets[ZERO if place == _ORIGIN else place] = float(next(numbers))
    return buckets


def _append(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
