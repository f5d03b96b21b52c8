"""Environment variables in an envelope: encrypted under a data key of their own, which a KMS key has encrypted.

The two ciphertexts belong together and to one encryption context. Used where variables are set and read, and by the
migration that encrypted what older releases had stored readable.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from ingle.encryption.aead import KEY_BYTES, Undecipherable, seal, unseal
from ingle.encryption.ciphertext import canonical


def new_data_key() -> bytes:
    return os.urandom(KEY_BYTES)


def seal_variables(data_key: bytes, variables: Mapping[str, str], context: Mapping[str, str]) -> bytes:
    """The variables in their order, encrypted."""
    text = json.dumps(dict(variables), separators=(",", ":"))
    return seal(data_key, text.encode("ascii"), canonical(context))


def unseal_variables(data_key: bytes, ciphertext: bytes, context: Mapping[str, str]) -> dict[str, str]:
    """The inverse of `seal_variables`. Raises Undecipherable."""
    if len(data_key) != KEY_BYTES:
        raise Undecipherable
    variables: dict[str, str] = json.loads(unseal(data_key, ciphertext, canonical(context)))
    return variables
