"""Writes the lock files from what is installed: exact versions of what pyproject.toml asks for, and of what that needs.

Names and versions only, so that an installation takes them from wherever it is configured to.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
HEAD = "# Exact versions of everything that {what}, for reproducible installations.\n# Renewed by `make lock`.\n"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(requirements: list[str]) -> set[str]:
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonical(requirement.name)
        if name in found:
            continue
        found.add(name)
        extras = [*requirement.extras, ""]
        needed = [Requirement(text) for text in distribution(name).requires or []]
        waiting += [n for n in needed if n.marker is None or any(n.marker.evaluate({"extra": e}) for e in extras)]
    return found


def lines(names: set[str]) -> str:
    return "".join(f"{name}=={distribution(name).version}\n" for name in sorted(names))


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = closure(project["dependencies"])
    tools = closure(project["optional-dependencies"]["dev"]) - needed
    (ROOT / "requirements.lock").write_text(HEAD.format(what="a running Ingle needs") + lines(needed), "utf-8")
    head = HEAD.format(what="the tests and checks need besides")
    (ROOT / "requirements-dev.lock").write_text(head + "-r requirements.lock\n" + lines(tools), "utf-8")


if __name__ == "__main__":
    main()
