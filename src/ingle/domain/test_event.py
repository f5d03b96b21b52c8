"""Events that people keep with a function to try it with. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

#: For one function.
MOST = 25
#: Bytes of one, as an invocation may have.
LONGEST = 6_291_456


@dataclass(frozen=True, slots=True, kw_only=True)
class TestEvent:
    """`size` is that of the event in bytes, `modified` epoch milliseconds. `sealed`: the event, as it is stored."""

    #: Nothing for pytest.
    __test__ = False

    name: str
    size: int
    modified: int
    sealed: bytes = field(repr=False)
