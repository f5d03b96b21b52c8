"""The verbs about keys and what is encrypted with them."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from ingle.cli.client import Api
from ingle.cli.output import Failure, say
from ingle.settings import Client, Settings

#: Bytes that a KMS key encrypts at once.
_LONGEST = 4096


def rotate_master(settings: Settings, forget: bool) -> None:
    """Raises Failure."""
    from ingle.encryption.master import MasterKeyError
    from ingle.master_key.rotation import rotate

    try:
        rotated = rotate(settings, forget=forget)
    except MasterKeyError as problem:
        raise Failure(str(problem)) from None
    if rotated.rewrapped is None:
        say(
            f"No server uses {settings.data_dir}: the next one that starts takes the master key {rotated.key} into use."
        )
        return
    say(f"The master key is {rotated.key}; {rotated.rewrapped} keys are encrypted under it now.")
    if not forget:
        say("Former keys are still where it comes from: backups that were made before need them.")


def unseal(sealed: Path, destination: Path, settings: Settings) -> None:
    """Raises Failure."""
    from ingle.encryption.aead import Undecipherable
    from ingle.encryption.files import unseal_file
    from ingle.encryption.master import MasterKeyError
    from ingle.master_key.finding import source_of

    try:
        source = source_of(settings)
        ring = source.read()
        if ring is None:
            raise Failure(f"There is no master key in {source.describe()}.")
        unseal_file(sealed, destination, ring)
    except MasterKeyError as problem:
        raise Failure(str(problem)) from None
    except Undecipherable:
        raise Failure(f"{sealed} is not a file that Ingle encrypted, or it was changed.") from None
    except OSError as problem:
        raise Failure(f"{problem.filename or sealed}: {problem.strerror}") from None
    say(f"{sealed} is readable in {destination}: whoever can read that file can read the variables in it.")


def encrypt_variable(function: str, key: str, client: Client) -> None:
    """The value never is an argument: other users of the machine can read command lines. Raises Failure."""
    value = _value()
    if not value or len(value) > _LONGEST:
        raise Failure(f"a value has from 1 to {_LONGEST} bytes; this one has {len(value)}", 2)
    members = {
        "KeyId": key,
        "Plaintext": base64.b64encode(value).decode(),
        "EncryptionContext": {"LambdaFunctionName": function},
    }
    say(Api(client).kms("Encrypt", members)["CiphertextBlob"])


def _value() -> bytes:
    """What is typed, without showing it, or what is piped in, without a line end behind it."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("Value: ").encode()
    return sys.stdin.buffer.read(_LONGEST + 2).removesuffix(b"\n").removesuffix(b"\r")
