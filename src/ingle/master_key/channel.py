"""A socket in the data directory, by which the person who may read the directory reaches its server.

Its permissions are the directory's and its own: functions, browsers and the network have no way to it. One request and
one answer on a connection, each a JSON object in a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingle.observability.log import Logger

NAME = "operator.sock"
#: Bytes of a request, and of an answer: one may hold the payloads of an event.
_LONGEST, _LONGEST_ANSWER = 65536, 1 << 24
#: Seconds for sending a request, and for an answer.
_REQUEST_SECONDS = 10.0
_ANSWER_SECONDS = 60.0

_log = Logger("master_key")

Request = dict[str, Any]
Answer = dict[str, Any]


class NoServer(Exception):
    """No server uses the data directory now."""


class ChannelError(Exception):
    """The server did not answer as it should; the message is one line."""


class Refused(Exception):
    """An operator's request is refused; the message is one line for that person."""


class Channel:
    """`async with Channel(directory, answer)`: answers requests until left. `answer` raises Refused."""

    def __init__(self, directory: Path, answer: Callable[[Request], Awaitable[Answer]]) -> None:
        self._directory = directory
        self._answer = answer
        self._server: asyncio.AbstractServer | None = None

    async def __aenter__(self) -> Self:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with _short(self._directory) as place, contextlib.suppress(FileNotFoundError):
                os.unlink(place)  # what a server that was killed has left
            with _short(self._directory) as place:
                listener.bind(place)
                os.chmod(place, 0o600)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_LONGEST)
        except BaseException:  # the listener is nobody's then; raised again
            listener.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(OSError):
            os.unlink(self._directory / NAME)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                line = await reader.readline()
            writer.write(json.dumps(await self._answered(line)).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ValueError, OSError):
            pass  # nobody is there any more, or never said anything that makes sense
        finally:
            writer.close()

    async def _answered(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise Refused("The request is not an object.")
            return await self._answer(request)
        except ValueError:
            return {"error": "The request is not JSON."}
        except Refused as refusal:
            return {"error": str(refusal)}
        except Exception:  # the operator is told, and the server goes on
            _log.error("an operator's request failed", exc_info=True)
            return {"error": "The server failed; its log says why."}


def ask(directory: Path, request: Request) -> Answer:
    """What the server of a data directory answers. Blocks. Raises NoServer, ChannelError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, contextlib.ExitStack() as stack:
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.connect(stack.enter_context(_short(directory)))
        except (FileNotFoundError, ConnectionRefusedError):
            raise NoServer from None
        except OSError as error:
            raise ChannelError(f"The server of {directory} cannot be reached ({error.strerror}).") from None
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline(_LONGEST_ANSWER))
        except (OSError, ValueError):
            raise ChannelError(f"The server of {directory} gave no answer.") from None
    if not isinstance(answer, dict):
        raise ChannelError(f"The server of {directory} gave no answer.")
    return answer


@contextlib.contextmanager
def _short(directory: Path) -> Iterator[str]:
    """The socket's path in a form that fits an address, however long the directory's is. Raises OSError."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)
