"""Where a companion is, and as whom it is called."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ingle.certificates import authorities

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`path` is what every path begins with: empty, or without a slash at its end. `tls`: None speaks plain HTTP."""

    url: str
    host: str
    port: int
    #: The header: with the port, unless it is the scheme's own.
    authority: str
    path: str = ""
    tls: ssl.SSLContext | None = None
    #: It is moto, which is told of accounts in a header, and answers with the host that it is asked by.
    is_moto: bool = False

    def accounts(self, account: str) -> dict[str, str]:
        """The header that tells whose a request is, where no access key does."""
        return {"x-moto-account-id": account} if self.is_moto else {}

    @staticmethod
    def of(url: str) -> Endpoint:
        """`url` is http:// or https://, with a host, without a query.

        Reads the machine's certificates for https, so call it while they can be read.
        """
        parts = urlsplit(url)
        assert parts.hostname is not None, "settings checks URLs"
        return Endpoint(
            url=url,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            authority=parts.netloc,
            path=parts.path.rstrip("/"),
            tls=ssl.create_default_context() if parts.scheme == "https" else None,
        )

    @property
    def certificates(self) -> list[Path]:
        """What is read when a connection is made."""
        return [] if self.tls is None else authorities()
