"""Rotating the master key: what the verb does, and what the server does when it is told.

The verb owns the source of the key, since the server can neither write files outside its data directory nor run
programs. It proves itself to the server by the key that is in use. Whatever interrupts it, the source still has the
key that the store is encrypted under: a new one is put before it first, and only taken alone afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingle.encryption.master import Keyring, MasterKey, MasterKeyError, MasterKeys
from ingle.encryption.sources import FileSource
from ingle.master_key import channel
from ingle.master_key.channel import Answer, Refused, Request
from ingle.master_key.finding import source_of
from ingle.settings import Settings

_ROTATE = "rotate-master"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """`key` is the id of the new key. `rewrapped`: how many keys are under it that were not; None without a server."""

    key: str
    rewrapped: int | None


def rotate(settings: Settings, *, forget: bool) -> Rotated:
    """Put a new key in the place of the current one, in the source and in the server that runs.

    `forget`: keep no former key in the file. Blocks. Raises MasterKeyError.
    """
    source = source_of(settings)
    ring = source.read()
    if ring is None:
        raise MasterKeyError(f"There is no master key in {source.describe()}: no server has been started with it.")
    if isinstance(source, FileSource):
        ring = Keyring((MasterKey.generate(), *ring.keys))
        source.write(ring)
    elif len(ring.keys) < 2:
        raise MasterKeyError(
            f"{source.describe().capitalize()} gives one key. Have it give the new one and the present one behind it."
        )
    rewrapped = _tell(settings, ring)
    if forget and rewrapped is not None and isinstance(source, FileSource):
        source.write(Keyring((ring.current,)))
    return Rotated(key=ring.current.id, rewrapped=rewrapped)


def _tell(settings: Settings, ring: Keyring) -> int | None:
    try:
        answer = channel.ask(settings.data_dir, {"do": _ROTATE, "keys": ring.texts})
    except channel.NoServer:
        return None
    except channel.ChannelError as error:
        raise MasterKeyError(str(error)) from None
    if "error" in answer:
        raise MasterKeyError(str(answer["error"]))
    return int(answer["rewrapped"])


def operator(
    master: MasterKeys, use_ring: Callable[[Keyring], Awaitable[int]]
) -> Callable[[Request], Awaitable[Answer]]:
    """What a server answers on its channel. `use_ring` puts everything under the current key of a ring."""

    async def answer(request: Request) -> Answer:
        if request.get("do") != _ROTATE:
            raise Refused("The request is not known to this server.")
        keys = request.get("keys")
        try:
            ring = Keyring.of([str(key) for key in keys] if isinstance(keys, list) else [])
        except MasterKeyError as error:
            raise Refused(str(error)) from None
        present = master.ring.current.id
        if not ring.has(present):
            raise Refused(f"The keys do not include the one that the server uses, {present}.")
        if ring.current.id == present:
            raise Refused("The first key is the one that the server uses already.")
        return {"rewrapped": await use_ring(ring)}

    return answer
