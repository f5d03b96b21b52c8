"""What a function URL is: an address of its own for a function or an alias, and the rules of what it lets browsers do.

Pure. `control` makes them; what answers at the address is the frontend's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ingle.domain.errors import InvalidParameterValue

BUFFERED = "BUFFERED"
METHODS = ("GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*")

_ORIGIN = re.compile(r"\*|https?://[^/\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """None: its owner did not say, and the default holds (nothing is allowed)."""

    allow_credentials: bool | None = None
    allow_headers: tuple[str, ...] | None = None
    allow_methods: tuple[str, ...] | None = None
    allow_origins: tuple[str, ...] | None = None
    expose_headers: tuple[str, ...] | None = None
    max_age: int | None = None  # seconds

    def validate(self) -> None:
        """Raise InvalidParameterValue for a method or an origin that there is not."""
        for method in self.allow_methods or ():
            if method not in METHODS:
                raise InvalidParameterValue(
                    f"Invalid method {method} in AllowMethods. The methods are: {', '.join(METHODS)}."
                )
        for origin in self.allow_origins or ():
            if not _ORIGIN.fullmatch(origin):
                raise InvalidParameterValue(
                    f"Invalid origin {origin} in AllowOrigins. It is * or a scheme, http or https, with a host."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrl:
    """`id` is 32 characters, lives as long as the configuration and is never used again. Times are epoch microseconds.

    `invoke_mode` is None until it is set, and `BUFFERED` then holds.
    """

    id: str
    auth_type: str  # NONE | AWS_IAM
    created: int
    last_modified: int
    cors: Cors | None = None
    invoke_mode: str | None = None

    def address(self, region: str, base_url: str) -> str:
        """Where the URL is, for who reaches this server at `base_url`: names below localhost mean this machine."""
        parts = urlsplit(base_url)
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.scheme}://{self.id}.lambda-url.{region}.localhost{port}/"
