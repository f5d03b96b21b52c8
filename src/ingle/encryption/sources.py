"""Where the master key comes from: a file, a variable of the process environment, or a program that prints it.

All three hold one key in base64, or several: the current one first, former ones behind it. What a setting says is
read by `parse_source`; `ingle.master_key` joins it with the settings and the data directory.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingle.encryption.master import Keyring, MasterKeyError

#: How long a program may take that prints the key, in seconds.
_PROGRAM_SECONDS = 60.0
#: Bytes of a file or of an output that are looked at.
_LONGEST = 65536
_REMARK = "# The master key of an Ingle data directory: without it nothing that is encrypted there can be read.\n"


class Source(Protocol):
    """Somewhere that a ring of master keys is kept. `describe` names it in messages."""

    def describe(self) -> str: ...

    def read(self) -> Keyring | None:
        """The ring; None where there is nothing yet. Blocks. Raises MasterKeyError."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that only its owner can read."""

    path: Path

    def describe(self) -> str:
        return f"the file {self.path}"

    def read(self) -> Keyring | None:
        try:
            # A pipe in its place must not keep the server waiting.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MasterKeyError(f"{self._subject} cannot be read ({error.strerror}).") from None
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise MasterKeyError(f"{self._subject} is not a file.")
            if state.st_mode & 0o077:
                raise MasterKeyError(f"{self._subject} can be read by others; chmod 600 {shlex.quote(str(self.path))}")
            content = os.read(descriptor, _LONGEST)
        finally:
            os.close(descriptor)
        return _parsed(content, self._subject)

    def write(self, ring: Keyring) -> None:
        """Replaces the file durably, as one that its owner alone can read. Raises MasterKeyError."""
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(_REMARK + "".join(f"{text}\n" for text in ring.texts))
                file.flush()
                os.fsync(file.fileno())
            os.rename(part, self.path)
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise MasterKeyError(f"{self._subject} cannot be written ({error.strerror}).") from None

    @property
    def _subject(self) -> str:
        return f"The master key's file {self.path}"


@dataclass(frozen=True, slots=True)
class VariableSource:
    """A variable of the process environment, which `look_up` gives the value of."""

    name: str
    look_up: Callable[[str], str | None]

    def describe(self) -> str:
        return f"the variable {self.name}"

    def read(self) -> Keyring | None:
        value = self.look_up(self.name)
        subject = f"The master key's variable {self.name}"
        if not value:
            raise MasterKeyError(f"{subject} is not set.")
        return _parsed(value.encode("utf-8", "replace"), subject)


@dataclass(frozen=True, slots=True)
class ProgramSource:
    """A program that prints the key: a client of a vault, for example. It is run without a shell."""

    command: tuple[str, ...]

    def describe(self) -> str:
        return f"the program {self.command[0]}"

    def read(self) -> Keyring | None:
        subject = f"The master key's program {self.command[0]}"
        try:
            done = subprocess.run(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_PROGRAM_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise MasterKeyError(f"{subject} did not end within {_PROGRAM_SECONDS:g} s.") from None
        except OSError as error:
            raise MasterKeyError(f"{subject} cannot be run ({error.strerror}).") from None
        if done.returncode != 0:
            raise MasterKeyError(f"{subject} failed with exit status {done.returncode}.")
        return _parsed(done.stdout[:_LONGEST], subject)


def parse_source(text: str, default: Path, look_up: Callable[[str], str | None]) -> Source:
    """The source that a setting names: `file`, `file:PATH`, `env:NAME`, or `command:PROGRAM ARGUMENT...`.

    `default` is the file where none is named. Raises MasterKeyError for a command that is none.
    """
    kind, _, rest = text.partition(":")
    rest = rest.strip()
    if kind == "env":
        return VariableSource(rest, look_up)
    if kind == "command":
        try:
            words = shlex.split(rest)
        except ValueError:
            words = []
        if not words:
            raise MasterKeyError("The master key's program is not a command line.")
        return ProgramSource(tuple(words))
    return FileSource(Path(rest).expanduser().absolute() if rest else default)


def _parsed(content: bytes, subject: str) -> Keyring:
    try:
        return Keyring.parse(content.decode("ascii"))
    except UnicodeDecodeError:
        raise MasterKeyError(f"{subject} does not hold a key in base64.") from None
    except MasterKeyError as error:
        raise MasterKeyError(f"{subject} is not usable: {error}") from None
