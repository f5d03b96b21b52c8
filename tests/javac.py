"""Java classes for tests, compiled from source against Ingle's own declarations of AWS's interfaces."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path

JAVAC = shutil.which("javac")
_IMPORTS = """
import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.math.*;
import java.util.*;
"""


def compile_java(jar: Path, files: Mapping[str, str], *, release: str = "8") -> dict[str, bytes]:
    """The class files of sources, by their paths.

    `files`: sources by class name with slashes ("my/app/H"); the package line and the usual imports are put before.
    `jar`: Ingle's Java runtime.
    """
    return _compile(jar, tuple(files.items()), release)


@cache
def _compile(jar: Path, files: tuple[tuple[str, str], ...], release: str) -> dict[str, bytes]:
    assert JAVAC is not None
    with tempfile.TemporaryDirectory() as name:
        sources, classes = Path(name, "sources"), Path(name, "classes")
        classes.mkdir()
        for path, source in files:
            file = sources / f"{path}.java"
            file.parent.mkdir(parents=True, exist_ok=True)
            package, _, _ = path.rpartition("/")
            head = f"package {package.replace('/', '.')};\n" if package else ""
            file.write_text(head + _IMPORTS + textwrap.dedent(source))
        command = [JAVAC, "--release", release, "-Xlint:-options", "-nowarn", "-cp", jar, "-d", classes,
                   *sources.rglob("*.java")]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return {str(file.relative_to(classes)): file.read_bytes() for file in classes.rglob("*.class")}
