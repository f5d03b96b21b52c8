"""Rules, loaded through the C library of nftables: each call is one transaction of the kernel.

An `Nftables` belongs to the namespace in which it was opened. Text is in nft's own language; what is put into it comes
from values that `rules` checked.
"""

from __future__ import annotations

import contextlib
import ctypes
import secrets
from typing import Self

_LIBRARY = "libnftables.so.1"


class NftablesError(OSError):
    """The library is not there, or the kernel refused rules; the text says why."""


def load() -> ctypes.CDLL:
    """The library. Raises NftablesError."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise NftablesError(f"there is no {_LIBRARY} (Debian, Ubuntu: apt-get install libnftables1)") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    for name in ("nft_ctx_free", "nft_ctx_buffer_output", "nft_ctx_buffer_error"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    library.nft_ctx_free.restype = None
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
        getattr(library, name).restype = ctypes.c_char_p
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library


def owned_name(name: str) -> str:
    """A name for a table that is its maker's alone: never the same, since that of a maker that was killed goes in the
    kernel's own time."""
    return f"{name}-owned-{secrets.token_hex(4)}"


def give_memory_back() -> None:
    """What closed libraries have freed, to the machine; C libraries without a way to it keep it."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Nftables:
    """`with Nftables() as tables`. Raises NftablesError."""

    def __init__(self) -> None:
        self._library = load()
        self._context: int | None = self._library.nft_ctx_new(0)
        if not self._context:
            raise NftablesError("nftables cannot be used here")
        for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error"):
            if getattr(self._library, name)(self._context) != 0:
                raise NftablesError("nftables has no memory")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._context is not None:
            self._library.nft_ctx_free(self._context)
            self._context = None

    def run(self, text: str) -> str:
        """All commands of `text` or none of them; what they print. Raises NftablesError."""
        failed = self._library.nft_run_cmd_from_buffer(self._context, text.encode())
        output = (self._library.nft_ctx_get_output_buffer(self._context) or b"").decode("utf-8", "replace")
        errors = (self._library.nft_ctx_get_error_buffer(self._context) or b"").decode("utf-8", "replace")
        if failed:
            raise NftablesError(errors.strip().splitlines()[0] if errors.strip() else "nftables refused the rules")
        return output
