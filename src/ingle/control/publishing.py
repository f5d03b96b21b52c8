"""Making versions: whether one is due, and what it costs. Used by every operation that publishes."""

from __future__ import annotations

from ingle.control.code_quota import CodeQuota
from ingle.domain import lifecycle
from ingle.domain.clock import Clock, Ids, milliseconds
from ingle.domain.function import Function, Version


class Publishing:
    def __init__(self, clock: Clock, ids: Ids, quota: CodeQuota) -> None:
        self._clock = clock
        self._ids = ids
        self._quota = quota

    def publish(self, function: Function, description: str | None = None) -> tuple[Function, Version]:
        """`function` with its next version, and that version; nothing is committed.

        Where nothing changed since the last version, it is the function as it is and that version.

        Raises CodeStorageExceeded.
        """
        last = lifecycle.unchanged_version(function)
        if last is not None:
            return function, last
        self._quota.require_room(function.key, function.latest.configuration.package.size)
        number = str(function.next_version)
        after = lifecycle.publishing(
            function, description=description, revision_id=self._ids.uuid(), now_ms=milliseconds(self._clock)
        )
        return after, after.versions[number]
