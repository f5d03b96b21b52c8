"""moto as a child process, which stands in for the AWS services that nobody named another place of.

Part of the composition root. What it holds is in its memory: gone when it ends. It restricts itself to a directory of
its own, for requests of functions reach it, and it ends with the server, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingle.observability.log import Logger

log = Logger("app")

_HOST = "127.0.0.1"
#: Seconds before it is started again after it ended by itself.
_AGAIN = 1.0


def is_installed() -> bool:
    return importlib.util.find_spec("moto") is not None and importlib.util.find_spec("flask") is not None


class BundledAws:
    """`async with BundledAws(directory, listener)`: serves on `listener`, which is bound to loopback already.

    Requests wait until it is ready, which takes seconds.
    """

    def __init__(self, directory: Path, listener: socket.socket) -> None:
        self._directory = directory
        self._address = listener.getsockname()
        self._listener: socket.socket | None = listener
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._clear)
        await self._start()
        self._watch = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def _clear(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(mode=0o700, parents=True)

    async def _start(self) -> None:
        listener = self._listener or bind(self._address[1])
        self._listener = None
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ingle.bundled_aws", str(self._directory), str(listener.fileno()),
                str(os.getpid()), pass_fds=(listener.fileno(),), stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, env=_environment(self._directory),
            )  # fmt: skip
        finally:
            # The child alone holds the port: when it ends, requests are refused rather than left waiting.
            listener.close()

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            status = await self._process.wait()
            log.error("moto ended; it is started again, and what it held is gone", status=status)
            await asyncio.sleep(_AGAIN)
            with contextlib.suppress(OSError):
                await self._start()


def bind(port: int = 0) -> socket.socket:
    """A listening socket on loopback."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_HOST, port))
    listener.listen(256)
    return listener


def _environment(directory: Path) -> dict[str, str]:
    """None of the server's variables: they may be secrets."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(directory), "TMPDIR": str(directory),
        "PYTHONDONTWRITEBYTECODE": "1", "MOTO_ALLOW_NONEXISTENT_REGION": "true",
        "MOTO_S3_CUSTOM_ENDPOINTS": "",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def main() -> None:
    """The child: give everything up but its directory, then serve until killed."""
    directory, descriptor, parent = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    from ingle.sandbox.inside import linux
    from ingle.sandbox.privileges import restrict

    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    restrict(directory, [])
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = _without_administration(DomainDispatcherApplication(create_backend_app))
    server = make_server(_HOST, 0, application, threaded=True, fd=descriptor)
    server.serve_forever()


def _without_administration(application: Any) -> Any:
    """What moto offers to tests of its own, its whole state among it, is nobody's here."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        path = re.sub(r"/+", "/", environ.get("PATH_INFO", ""))
        if path.startswith(("/moto-api", "/latest/")):
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        return application(environ, start_response)

    return serve


if __name__ == "__main__":
    main()
