"""The verbs about signatures: sign, and signer create, list and revoke.

A private key is one file for each profile in a directory that the user chooses; it never is in the data directory, so
that whoever has a server's data, or a backup of it, can sign nothing. The public key and what was revoked go to the
data directory, where a server reads them when code is deployed: both may run, and none has to.
"""

from __future__ import annotations

import json
import re
import secrets
import string
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ingle import settings
from ingle.artifacts import PackageError
from ingle.artifacts.sealing import digest
from ingle.artifacts.signatures import signed
from ingle.cli.output import Failure, say, table
from ingle.domain.caller import DEFAULT_ACCOUNT
from ingle.domain.clock import RandomIds
from ingle.domain.signing import PROFILE_NAME, ProfileVersion, SigningJob, Statement
from ingle.settings import Client, Settings
from ingle.storage.data_directory import DataDirectory
from ingle.storage.errors import StorageError
from ingle.storage.files import write_atomically
from ingle.storage.layout import FORMAT, SIGNING
from ingle.storage.signing_profiles import KnownProfile, SigningProfiles

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_VERSION_CHARACTERS = string.ascii_letters + string.digits
_VERSION_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose profiles are meant, and where their private keys are."""

    directory: Path
    account: str
    region: str

    @classmethod
    def of(cls, directory: Path | None, client: Client) -> Self:
        """An access key id of 12 digits is the account, as for a server."""
        key_id = client.access_key_id
        account = key_id if re.fullmatch(r"[0-9]{12}", key_id) else DEFAULT_ACCOUNT
        return cls(directory=directory or settings.private_keys(), account=account, region=client.region)

    def file(self, name: str) -> Path:
        return self.directory / f"{self.region}.{self.account}.{name}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PrivateKey:
    """What signs for a version of a profile. `validity` is seconds."""

    version: ProfileVersion
    validity: int
    key: Ed25519PrivateKey


def sign(source: Path, destination: Path, place: Place, name: str) -> None:
    """Raises Failure."""
    private = _load(place, name)
    job = SigningJob(account=place.account, region=place.region, id=RandomIds().uuid())
    now = int(time.time())
    try:
        content = source.read_bytes()
        statement = Statement(
            profile=private.version, job=job, package=digest(content), signed=now, expires=now + private.validity
        )
        write_atomically(destination, signed(content, statement, private.key.sign), mode=0o644)
    except PackageError as problem:
        raise Failure(f"{source}: {problem}") from None
    except OSError as problem:
        raise Failure(f"{problem.filename or destination}: {problem.strerror}") from None
    say(job.arn)


def create(name: str, validity: int, place: Place, chosen: Settings) -> None:
    """Raises Failure."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not PROFILE_NAME.fullmatch(name):
        raise Failure(f"{name!r} is not 2 to 64 letters, digits and underscores", 2)
    number = "".join(secrets.choice(_VERSION_CHARACTERS) for _ in range(_VERSION_LENGTH))
    version = ProfileVersion(account=place.account, region=place.region, name=name, version=number)
    if ProfileVersion.parse(version.arn) != version:
        raise Failure(f"{place.region!r} is not the name of a region", 2)
    private = _PrivateKey(version=version, validity=validity, key=Ed25519PrivateKey.generate())
    profiles = _profiles(chosen)
    try:
        profiles.add(
            KnownProfile(version=version, key=private.key.public_key().public_bytes_raw(), created=int(time.time()))
        )
        _keep(private, place)
    except StorageError as problem:
        raise Failure(str(problem)) from None
    except OSError as problem:
        raise Failure(f"{problem.filename or place.directory}: {problem.strerror}") from None
    say(version.arn)


def list_profiles(chosen: Settings) -> None:
    """One line for each version. Raises Failure."""
    profiles = SigningProfiles(chosen.data_dir / SIGNING)
    try:
        rows = [
            (known.version.arn, time.strftime("%Y-%m-%d", time.gmtime(known.created)),
             "revoked" if profiles.is_revoked(known.version) else "active")
            for known in profiles.all()
        ]  # fmt: skip
    except StorageError as problem:
        raise Failure(str(problem)) from None
    if rows:
        table(("PROFILE VERSION", "CREATED", "STATUS"), rows)


def revoke(arn: str, reason: str, chosen: Settings) -> None:
    """Raises Failure."""
    what = ProfileVersion.parse(arn) or SigningJob.parse(arn)
    if what is None:
        raise Failure(f"{arn!r} is no ARN of a version of a signing profile or of a signing job", 2)
    profiles = _profiles(chosen)
    try:
        if isinstance(what, ProfileVersion) and profiles.get(what) is None:
            raise Failure(f"there is no {arn} in {chosen.data_dir}")
        profiles.revoke(what, int(time.time()), reason)
    except StorageError as problem:
        raise Failure(str(problem)) from None
    say(f"{arn} is revoked")


def _profiles(chosen: Settings) -> SigningProfiles:
    """To write to. Makes the data directory if no server did yet. Raises Failure."""
    try:
        if not (chosen.data_dir / FORMAT).exists():
            DataDirectory.open(chosen.data_dir).close()
    except StorageError as problem:
        raise Failure(str(problem)) from None
    except OSError as problem:
        raise Failure(f"{chosen.data_dir}: {problem.strerror}") from None
    return SigningProfiles(chosen.data_dir / SIGNING)


def _keep(private: _PrivateKey, place: Place) -> None:
    """In place of the key of an earlier version. Raises OSError."""
    document = {
        "profile": private.version.arn,
        "validity": private.validity,
        "private_key": private.key.private_bytes_raw().hex(),
    }
    place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(place.file(private.version.name), json.dumps(document).encode("ascii") + b"\n", mode=0o600)


def _load(place: Place, name: str) -> _PrivateKey:
    """Raises Failure."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not PROFILE_NAME.fullmatch(name):
        raise Failure(f"{name!r} is not 2 to 64 letters, digits and underscores", 2)
    path = place.file(name)
    try:
        document = json.loads(path.read_bytes())
        version = ProfileVersion.parse(document["profile"])
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(document["private_key"]))
        validity = int(document["validity"])
    except FileNotFoundError:
        raise Failure(
            f"there is no private key of a profile {name} in account {place.account}, region {place.region} in "
            f"{place.directory}; make one with ingle signer create"
        ) from None
    except OSError as problem:
        raise Failure(f"{path}: {problem.strerror}") from None
    except (KeyError, TypeError, ValueError):
        version = None
    if version is None:
        raise Failure(f"{path} is no private key of a signing profile")
    return _PrivateKey(version=version, validity=validity, key=key)
