"""Plays scenarios of `console/e2e` in a browser. What they need, and whether it is here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import build_console  # noqa: E402

CONSOLE = ROOT / "console"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PYTHON = "python{}.{}".format(*sys.version_info[:2])

Ask = Callable[[Any], str]


def _node() -> build_console.Node | None:
    """The Node.js that built the console."""
    try:
        return build_console.find_node(install=False)
    except build_console.NoNode:
        return None


NODE = _node()
BUILT = (ROOT / "src/ingle/console/built/index.html.gz").exists() and (CONSOLE / "node_modules").exists()

needs_node = pytest.mark.skipif(
    NODE is None or not BUILT, reason="the console is not built here: no Node.js 20.19, and none from a package index"
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")


def play(scenario: str, given: dict[str, Any], answer: Ask | None = None) -> list[str]:
    """Run a scenario, and do what it asks for meanwhile; what it found to be accessible."""
    with tempfile.TemporaryDirectory(prefix="ingle-test-", ignore_cleanup_errors=True) as profile:
        return _played(scenario, {"chromium": CHROMIUM, "python": PYTHON, "profile": profile, **given}, answer)


def _played(scenario: str, given: dict[str, Any], answer: Ask | None) -> list[str]:
    assert NODE is not None
    environ = {**os.environ, "SCENARIO": json.dumps(given)}
    running = subprocess.Popen(
        [str(NODE.program), str(CONSOLE / "e2e/run.mjs"), scenario], env=environ, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stderr is not None
    told: dict[str, Any] = {}
    try:
        for line in running.stdout:
            told = json.loads(line)
            if "ask" in told:
                assert answer is not None
                running.stdin.write(answer(told["ask"]).replace("\n", " ") + "\n")
                running.stdin.flush()
        errors = running.stderr.read()
        assert running.wait(60) == 0, errors
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(10)
        for pipe in (running.stdin, running.stdout, running.stderr):
            pipe.close()
    checked: list[str] = told["checked"]
    return checked
