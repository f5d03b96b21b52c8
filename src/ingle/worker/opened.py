"""A version with its environment variables readable: for as long as something of it is being started, and no longer.

Everything else has them encrypted, as the version's configuration does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingle.domain.function import Configuration, Version

#: Decrypts the environment variables of a version. Raises the ServiceError that an invocation is to get.
OpenVariables = Callable[[Version], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedVersion:
    """`variables` are the function's own."""

    version: Version
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def configuration(self) -> Configuration:
        return self.version.configuration
