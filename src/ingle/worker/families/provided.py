"""OS-only runtimes: the package, or a layer, brings the program."""

from __future__ import annotations

from ingle.domain.runtimes import is_provided
from ingle.worker.families.family import Family, Layout
from ingle.worker.opened import OpenedVersion


class Provided(Family):
    title = "OS-only"
    name = "provided"
    frames_log = False

    def covers(self, runtime: str) -> bool:
        return is_provided(runtime)

    def label(self, runtime: str) -> str:
        return runtime.replace(".", ":", 1)

    def start(self, opened: OpenedVersion, layout: Layout) -> list[str]:
        return [f"{layout.task}/bootstrap"]

    def programs(self, opened: OpenedVersion, layout: Layout) -> list[list[str]]:
        return [self.start(opened, layout), [f"{layout.layers}/bootstrap"]]
