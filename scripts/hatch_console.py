"""Has the package contain the web console: builds it before a wheel or a source distribution is put together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
import build_console


class ConsoleHook(BuildHookInterface[Any]):
    """Not for editable installations: `make` builds there, and only when sources have changed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        try:
            build_console.ensure()
        except (build_console.NoNode, subprocess.CalledProcessError, OSError) as error:
            said = getattr(error, "stdout", None) or error
            self.app.display_warning(f"The package is made without the web console: {said}")
