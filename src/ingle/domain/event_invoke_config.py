"""How asynchronous invocations of a function, a version or an alias are tried and where their results go. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingle.domain.arn import FunctionName
from ingle.domain.function import FunctionKey

_DESTINATION = re.compile(
    r"arn:aws[a-z-]*:(?:"
    r"(?P<lambda>lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9_-]+(?::(?:\$LATEST|[a-zA-Z0-9_-]+))?)"
    r"|(?P<queue>sqs:[a-z0-9-]+:\d{12}:[a-zA-Z0-9_-]{1,80})"
    r"|(?P<topic>sns:[a-z0-9-]+:\d{12}:[a-zA-Z0-9_-]{1,256})"
    r"|(?P<bus>events:[a-z0-9-]+:\d{12}:event-bus/[a-zA-Z0-9._/-]{1,256})"
    r"|(?P<bucket>s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """None: the default holds (2 retries, 6 hours), or results go nowhere. `last_modified` is epoch milliseconds."""

    last_modified: int
    maximum_retries: int | None = None
    maximum_age_seconds: int | None = None
    on_success: str | None = None
    on_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An ARN that results can go to, taken apart."""

    arn: str
    kind: str  # lambda | queue | topic | bus | bucket

    @staticmethod
    def parse(arn: str) -> Destination | None:
        """None for what results cannot go to; queues and topics that are FIFO among it."""
        match = _DESTINATION.fullmatch(arn)
        return None if match is None or match.lastgroup is None else Destination(arn=arn, kind=match.lastgroup)

    @property
    def function(self) -> tuple[FunctionKey, str | None] | None:
        """The function and qualifier, if it is a function."""
        if self.kind != "lambda":
            return None
        name = FunctionName.parse(self.arn)
        key = FunctionKey(account=name.account or "", region=name.region or "", name=name.name)
        return key, name.qualifier
