"""Which subnets are bound to which devices of the machine: a small file, written whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ingle.storage.errors import DataDirectoryError
from ingle.storage.files import write_atomically


class Bindings(Mapping[str, str]):
    """Devices by subnet. `fixed` are those of the settings: they go before, and are in no file."""

    def __init__(self, path: Path, fixed: Mapping[str, str]) -> None:
        """Raises DataDirectoryError."""
        self._path = path
        self.fixed = dict(fixed)
        self._stored: dict[str, str] = {}
        try:
            document = json.loads(path.read_bytes())
            self._stored = {str(subnet): str(device) for subnet, device in document.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError) as error:
            raise DataDirectoryError(f"The bindings of subnets in {path} cannot be read: {error}") from error

    def __getitem__(self, subnet: str) -> str:
        return self.fixed[subnet] if subnet in self.fixed else self._stored[subnet]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._stored, **self.fixed})

    def __len__(self) -> int:
        return len({**self._stored, **self.fixed})

    async def bind(self, subnet: str, device: str) -> None:
        """Raises OSError, and then nothing has changed."""
        await self._write({**self._stored, subnet: device})

    async def unbind(self, subnet: str) -> None:
        """Harmless if it is not bound. Raises OSError, and then nothing has changed."""
        await self._write({name: device for name, device in self._stored.items() if name != subnet})

    async def _write(self, wanted: dict[str, str]) -> None:
        await asyncio.to_thread(write_atomically, self._path, json.dumps(wanted, indent=2).encode() + b"\n")
        self._stored = wanted
