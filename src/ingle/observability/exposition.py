"""Metrics in the text format that Prometheus scrapes (version 0.0.4). Pure.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A metric: `kind` is counter, gauge, histogram or summary."""

    name: str
    kind: str
    help: str


class Sample(NamedTuple):
    """`suffix` is what follows the family's name: `_sum`, `_count`, `_bucket`, or nothing."""

    suffix: str
    labels: Mapping[str, str]
    value: float


def render(families: Iterable[tuple[Family, Iterable[Sample]]]) -> bytes:
    return "".join(line for family, samples in families for line in _lines(family, samples)).encode()


def _lines(family: Family, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"
    for suffix, labels, value in samples:
        pairs = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items())
        yield (
            f"{family.name}{suffix}{{{pairs}}} {_number(value)}\n"
            if pairs
            else (f"{family.name}{suffix} {_number(value)}\n")
        )


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
