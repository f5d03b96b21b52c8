"""Valid values for any shape of a service model, for round trips through botocore."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from ingle.wire.constraints import compile_pattern
from ingle.wire.model import Member, ServiceModel, Shape

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
_FAST = settings(
    database=None,
    deadline=None,
    max_examples=20_000,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
_CANDIDATES = (
    "abc",
    "1",
    "a1-b",
    "ab/c d",
    "arn:aws:lambda:eu-west-1:123456789012:function:f",
    "arn:aws:lambda:eu-west-1:123456789012:layer:l:1",
    "arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:" + "-".join("a" * n for n in (8, 4, 4, 4, 12)),
    "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/name/id",
    "arn:aws:lambda:eu-west-1:123456789012:runtime/name/version/1",
    "arn:aws:iam::123456789012:role/r",
    "arn:aws:s3:::bucket",
    "-".join("a" * n for n in (8, 4, 4, 4, 12)),
    "123456789012",
    "someException",
    "x" * 90,
)


@cache
def sample_text(pattern: str | None, shortest: int, longest: int) -> str:
    compiled = compile_pattern(pattern) if pattern else None
    for candidate in (*_CANDIDATES, "x" * shortest):
        if shortest <= len(candidate) <= longest and (compiled is None or compiled.fullmatch(candidate)):
            return candidate
    assert compiled is not None, (shortest, longest)
    return find(
        st.from_regex(compiled, fullmatch=True),
        lambda text: shortest <= len(text) <= longest and text.isprintable() and text.isascii(),
        settings=_FAST,
    )


class Samples:
    """`full`: every member, else the required ones only."""

    def __init__(self, model: ServiceModel, *, full: bool) -> None:
        self._model = model
        self._full = full

    def structure(self, shape: Shape, depth: int = 0):
        members = list(shape.members.values())
        if shape.raw.get("union") or shape.is_event_stream:
            members = members[:1]
        elif not self._full or depth > 5:
            members = [member for member in members if member.name in shape.required]
        return {member.name: self.member(member, depth + 1) for member in members}

    def member(self, member: Member, depth: int):
        if member.shape.is_event_stream:
            events = member.shape.members.items()
            return [
                {name: self.structure(event.shape)} for name, event in events if not event.shape.raw.get("exception")
            ]
        if member.location == "statusCode":
            return 200
        return self.value(member.shape, depth)

    def value(self, shape: Shape, depth: int):
        raw = shape.raw
        match shape.type:
            case "structure":
                return self.structure(shape, depth)
            case "list":
                return [self.value(shape.part("member").shape, depth + 1)] * max(1, raw.get("min", 0))
            case "map":
                key, value = (
                    self.value(shape.part("key").shape, depth),
                    self.value(shape.part("value").shape, depth + 1),
                )
                return {key + "x" * n: value for n in range(max(1, raw.get("min", 0)))}
            case "string" if "enum" in raw:
                return raw["enum"][0]
            case "string":
                return sample_text(raw.get("pattern"), max(1, raw.get("min", 0)), raw.get("max", 10_000))
            case "integer" | "long":
                return max(1, raw.get("min", 1))
            case "double" | "float":
                return max(0.5, raw.get("min", 0))
            case "boolean":
                return True
            case "timestamp":
                return MOMENT
            case "blob":
                return b"\x00bytes\xff"
        raise AssertionError(shape.type)
