"""Which master key a data directory has, by the settings; a file of its own is made at the first start."""

from __future__ import annotations

from pathlib import Path

from ingle.encryption.master import Keyring, MasterKey, MasterKeyError, MasterKeyMissing
from ingle.encryption.sources import FileSource, Source, parse_source
from ingle.settings import Settings, variable_value
from ingle.storage.layout import DATABASE, MASTER_KEY
from ingle.storage.sqlite_copy import has_keys


def source_of(settings: Settings) -> Source:
    """Raises MasterKeyError."""
    return parse_source(settings.master_key, Path(settings.data_dir).absolute() / MASTER_KEY, variable_value)


def open_ring(settings: Settings) -> Keyring:
    """The master keys that the settings name. Blocks; call it while the data directory is locked.

    A file that is missing is made, unless something is encrypted under a key that it had. Raises MasterKeyError.
    """
    source = source_of(settings)
    ring = source.read()
    if ring is not None:
        return ring
    assert isinstance(source, FileSource), "only a file can be missing"
    if has_keys(settings.data_dir / DATABASE):
        raise MasterKeyError(
            f"The master key's file {source.path} is missing, and the data directory is encrypted under a key that "
            "was in it. Put it back; without it functions with environment variables cannot run."
        )
    ring = Keyring((MasterKey.generate(),))
    source.write(ring)
    return ring


def require(ring: Keyring, in_use: set[str], source: Source) -> None:
    """Raise MasterKeyError if a key that is in use is not in the ring."""
    missing = sorted(key_id for key_id in in_use if not ring.has(key_id))
    if missing:
        raise MasterKeyError(f"{MasterKeyMissing(missing[0])} Give it behind the present one: {source.describe()}.")
