"""Where the services are that Ingle does not have itself, all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingle.companions.endpoint import Credentials, Endpoint

#: What Ingle itself asks services for.
USED = ("s3", "sqs", "sns", "events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """`named` by signing name, `other` for all that are not. `credentials`: as whom they are called."""

    credentials: Credentials
    named: Mapping[str, Endpoint] = field(default_factory=dict)
    other: Endpoint | None = None

    def of(self, service: str) -> Endpoint | None:
        return self.named.get(service, self.other)

    @property
    def certificates(self) -> list[Path]:
        """What is read when connections are made."""
        every = [*self.named.values(), *([] if self.other is None else [self.other])]
        return [path for endpoint in every for path in endpoint.certificates]
