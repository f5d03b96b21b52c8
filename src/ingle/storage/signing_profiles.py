"""What the server knows of signing profiles: the public key of each version, and what was revoked.

    <path>/profiles/<region>.<account>.<name>.<version>      one JSON document for each version of a profile
    <path>/revoked/<region>.<account>.<name>.<version>       one for each version that was revoked
    <path>/revoked/<region>.<account>.<job id>               one for each signing job that was revoked

Files are written whole and never changed, by the command line, beside a server that reads them when code is deployed.
Private keys are not here. Everything blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingle.domain.signing import ProfileVersion, Revocable
from ingle.storage.errors import StorageUnavailable, of_os_error
from ingle.storage.files import write_atomically

_PROFILES, _REVOKED = "profiles", "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProfile:
    """`key` has 32 bytes (Ed25519); `created` is epoch seconds."""

    version: ProfileVersion
    key: bytes
    created: int


class SigningProfiles:
    """Every call may raise StorageError: nothing can be said about a file that cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, profile: KnownProfile) -> None:
        """Durable when it returns."""
        document = {"arn": profile.version.arn, "public_key": profile.key.hex(), "created": profile.created}
        self._write(_PROFILES, profile.version, document)

    def get(self, version: ProfileVersion) -> KnownProfile | None:
        document = self._read(_PROFILES, _name(version))
        return None if document is None else _known(document)

    def all(self) -> Iterator[KnownProfile]:
        """In the order of their files' names."""
        try:
            names = sorted(path.name for path in (self._path / _PROFILES).iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return
        except OSError as error:
            raise of_os_error(error, "reading signing profiles") from error
        for name in names:
            document = self._read(_PROFILES, name)
            if document is not None:
                yield _known(document)

    def revoke(self, what: Revocable, at: int, reason: str) -> None:
        """From now on. `at` is epoch seconds. Durable when it returns; a second time changes nothing."""
        if not self.is_revoked(what):
            self._write(_REVOKED, what, {"arn": what.arn, "revoked": at, "reason": reason})

    def is_revoked(self, what: Revocable) -> bool:
        return self._read(_REVOKED, _name(what)) is not None

    def _write(self, kind: str, what: Revocable, document: dict[str, Any]) -> None:
        directory = self._path / kind
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(directory / _name(what), json.dumps(document).encode("utf-8") + b"\n")
        except OSError as error:
            raise of_os_error(error, f"writing about {what.arn}") from error

    def _read(self, kind: str, name: str) -> dict[str, Any] | None:
        path = self._path / kind / name
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise of_os_error(error, f"reading {path}") from error
        except ValueError as error:
            raise StorageUnavailable(f"{path} is damaged.") from error
        if not isinstance(document, dict):
            raise StorageUnavailable(f"{path} is damaged.")
        return document


def _known(document: dict[str, Any]) -> KnownProfile:
    try:
        version = ProfileVersion.parse(document["arn"])
        key, created = bytes.fromhex(document["public_key"]), int(document["created"])
    except (KeyError, TypeError, ValueError):
        version = None
    if version is None or len(key) != 32:
        raise StorageUnavailable("The public key of a signing profile is damaged.")
    return KnownProfile(version=version, key=key, created=created)


def _name(what: Revocable) -> str:
    """The name of its file: parts have no dot and no slash, so that no two share a name."""
    own = f"{what.name}.{what.version}" if isinstance(what, ProfileVersion) else what.id
    return f"{what.region}.{what.account}.{own}"
