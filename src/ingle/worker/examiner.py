"""What `ingle doctor` tells, for a server, which has given up what it takes to look by itself.

Before it does, it starts a shell that waits: each line that it is sent starts a program that looks at the machine as
`ingle doctor` does, with the settings it was given at the beginning, and answers one line. Nothing else can be asked
of it, and it ends with the server, whose end of the pipe is gone then. A look takes about a second, and serves all who
ask within a minute.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from ingle.observability.log import Logger
from ingle.settings import Settings

#: Seconds for which a look serves, and those that one may take.
FRESH = 60.0
PATIENCE = 30.0
_LONGEST = 1 << 20
#: Answers a line in any case.
_WAIT = 'while read -r go; do answer=$("$@" </dev/null); printf "%s\\n" "$answer"; done'
_ASKED = "INGLE_EXAMINED_SETTINGS"
#: All of the process environment that a look needs: secrets may be in the rest.
_KEPT = (
    "HOME", "PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "PYENV_ROOT", "NVM_DIR", "SDKMAN_DIR", "RBENV_ROOT",
    "JAVA_HOME", "JDK_HOME",
)  # fmt: skip

_log = Logger("worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """See `worker.doctor.Finding`."""

    subject: str
    level: str
    detail: str
    consequence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """`at`: epoch seconds."""

    at: float
    checks: tuple[Check, ...]


class Examiner:
    """`with Examiner(settings) as examiner`, while this process may still start what has more rights than it will have.

    `examine` is for the event loop. `look`: what to run, and in which process environment, for tests.
    """

    def __init__(
        self, settings: Settings, look: tuple[Sequence[str], dict[str, str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        command, environment = look or _look_at(settings)
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WAIT, "sh", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**kept, **environment}, start_new_session=True,
        )  # fmt: skip
        self._clock = clock
        self._turn = asyncio.Lock()
        self._latest: Examined | None = None
        self._expires = 0.0
        #: It was asked and has not answered yet.
        self._asked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It ends by itself, at once or when its look is over."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)

    @property
    def _stdin(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdin)

    @property
    def _stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdout)

    async def examine(self) -> Examined | None:
        """The latest look, or a new one where that is too old; None where none can be had."""
        async with self._turn:
            if self._latest is None or self._clock() >= self._expires:
                try:
                    async with asyncio.timeout(PATIENCE):
                        self._latest = await self._look()
                    self._expires = self._clock() + FRESH
                except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
                    _log.warning("the machine cannot be looked at", reason=str(error) or type(error).__name__)
                    return None
            return self._latest

    async def _look(self) -> Examined:
        """Raises OSError (TimeoutError among it), EOFError, and what the answer's being none raises."""
        if not self._asked:
            self._stdin.write(b"\n")
            self._stdin.flush()
            self._asked = True
        line = await self._line()
        if not line:
            raise EOFError("it has ended")
        self._asked = False
        answer = json.loads(line)
        return Examined(at=answer["at"], checks=tuple(Check(**check) for check in answer["checks"]))

    async def _line(self) -> bytes:
        reader = asyncio.StreamReader(limit=_LONGEST)
        protocol = asyncio.StreamReaderProtocol(reader)
        pipe = os.fdopen(os.dup(self._stdout.fileno()), "rb")
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
        try:
            return await reader.readline()
        finally:
            transport.close()


def _look_at(settings: Settings) -> tuple[Sequence[str], dict[str, str]]:
    """Secrets are no business of a look's."""
    shown = replace(settings, aws_secret_access_key="", aws_session_token="", master_key="file")
    text = base64.b64encode(pickle.dumps(shown)).decode()
    return [sys.executable, "-P", "-m", "ingle.worker.examiner"], {_ASKED: text}


def findings_of(settings: Settings) -> list[Any]:
    """All that `ingle doctor` tells (`worker.doctor.Finding`), in its order. Blocks; for a process with one thread."""
    from ingle.worker import doctor, families, forwarding

    found = doctor.examine(
        families.search(settings), settings.runtimes_dir, settings.data_dir, lambda: forwarding.look(settings)
    )
    elsewhere = settings.service_urls | ({"other services": settings.aws_endpoint} if settings.aws_endpoint else {})
    found += doctor.companions(elsewhere, doctor.connect)
    found += doctor.file_systems(settings.file_systems, doctor.try_mount)
    return found


def main() -> None:
    """The program that looks. Its settings are from the server's beginning, when nobody else had a say in them."""
    settings = pickle.loads(base64.b64decode(os.environ[_ASKED]))
    os.chdir(Path("/"))
    checks = [asdict(finding) for finding in findings_of(settings)]
    print(json.dumps({"at": time.time(), "checks": checks}), flush=True)


if __name__ == "__main__":
    main()
