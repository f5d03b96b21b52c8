"""The states of an execution environment. `worker.environment` moves between them.

starting --> initializing --> idle <--> busy
                  ^            |  ^
                  |            v  |
               resetting     frozen         any but dead --> stopping --> dead
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    STARTING = "starting"
    INITIALIZING = "initializing"
    IDLE = "idle"
    BUSY = "busy"
    FROZEN = "frozen"
    RESETTING = "resetting"
    STOPPING = "stopping"
    DEAD = "dead"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.STARTING: frozenset({State.INITIALIZING, State.STOPPING, State.DEAD}),
    State.INITIALIZING: frozenset({State.IDLE, State.RESETTING, State.STOPPING, State.DEAD}),
    State.IDLE: frozenset({State.BUSY, State.FROZEN, State.RESETTING, State.STOPPING, State.DEAD}),
    State.BUSY: frozenset({State.IDLE, State.RESETTING, State.STOPPING, State.DEAD}),
    State.FROZEN: frozenset({State.IDLE, State.STOPPING, State.DEAD}),
    State.RESETTING: frozenset({State.STARTING, State.STOPPING, State.DEAD}),
    State.STOPPING: frozenset({State.DEAD}),
    State.DEAD: frozenset(),
}
