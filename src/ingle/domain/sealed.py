"""Environment variables as everything but a cold start and an answer has them: encrypted.

A pure value. `supporting.variables` makes and opens it; what it is made of is `encryption.envelope`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedVariables:
    """`ciphertext` is the variables under a data key, `data_key` that key as a ciphertext of a KMS key."""

    data_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
