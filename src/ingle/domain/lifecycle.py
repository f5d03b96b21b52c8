"""How a function moves between its states, and what each state forbids.

Pure. `control` applies these steps to what it commits; `invoke` asks for the refusal of a state. The steps are the two
tables below; a step that is not in them raises.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from ingle.domain.arn import FunctionArn
from ingle.domain.errors import ResourceConflict
from ingle.domain.function import Configuration, Function, FunctionKey, State, UpdateStatus, Version

CREATING_REASON = "The function is being created."
CREATING_CODE = "Creating"


class Event(Enum):
    """What can happen to a function that is being made ready."""

    UPDATE_ACCEPTED = auto()
    PREPARED = auto()
    PREPARATION_FAILED = auto()


#: State of a function after an event. An update never takes away what is being served.
STATES: dict[State, dict[Event, State]] = {
    State.PENDING: {Event.PREPARED: State.ACTIVE, Event.PREPARATION_FAILED: State.FAILED},
    State.ACTIVE: {
        Event.UPDATE_ACCEPTED: State.ACTIVE,
        Event.PREPARED: State.ACTIVE,
        Event.PREPARATION_FAILED: State.ACTIVE,
    },
    State.INACTIVE: {
        Event.UPDATE_ACCEPTED: State.INACTIVE,
        Event.PREPARED: State.ACTIVE,
        Event.PREPARATION_FAILED: State.INACTIVE,
    },
    State.FAILED: {
        Event.UPDATE_ACCEPTED: State.FAILED,
        Event.PREPARED: State.ACTIVE,
        Event.PREPARATION_FAILED: State.FAILED,
    },
}

#: Update status after an event. None: nothing was ever made ready.
UPDATE_STATUSES: dict[UpdateStatus | None, dict[Event, UpdateStatus | None]] = {
    None: {
        Event.UPDATE_ACCEPTED: UpdateStatus.IN_PROGRESS,
        Event.PREPARED: UpdateStatus.SUCCESSFUL,
        Event.PREPARATION_FAILED: None,
    },
    UpdateStatus.SUCCESSFUL: {Event.UPDATE_ACCEPTED: UpdateStatus.IN_PROGRESS},
    UpdateStatus.FAILED: {Event.UPDATE_ACCEPTED: UpdateStatus.IN_PROGRESS},
    UpdateStatus.IN_PROGRESS: {
        Event.PREPARED: UpdateStatus.SUCCESSFUL,
        Event.PREPARATION_FAILED: UpdateStatus.FAILED,
    },
}


def created(key: FunctionKey, version: str, configuration: Configuration, *, revision_id: str, now_ms: int) -> Function:
    """A function that was just accepted: Pending, and nothing served yet."""
    latest = Version(
        key=key,
        version=version,
        configuration=configuration,
        revision_id=revision_id,
        serial=1,
        last_modified=now_ms,
        state=State.PENDING,
        state_reason=CREATING_REASON,
        state_reason_code=CREATING_CODE,
    )
    return Function(key=key, latest=latest)


def updating(function: Function, configuration: Configuration, *, revision_id: str, now_ms: int) -> Function:
    """An accepted update: shown at once, served once it has been made ready."""
    before = function.latest
    latest = replace(
        before,
        configuration=configuration,
        revision_id=revision_id,
        serial=before.serial + 1,
        last_modified=now_ms,
        state=STATES[before.state][Event.UPDATE_ACCEPTED],
        update_status=UPDATE_STATUSES[before.update_status][Event.UPDATE_ACCEPTED],
        update_status_reason=CREATING_REASON,
        update_status_reason_code=CREATING_CODE,
    )
    return replace(function, latest=latest)


def prepared(function: Function, *, revision_id: str) -> Function:
    """What was pending or in progress has taken effect: it is what invocations run from now on."""
    latest = replace(
        function.latest,
        revision_id=revision_id,
        state=STATES[function.latest.state][Event.PREPARED],
        state_reason=None,
        state_reason_code=None,
        update_status=UPDATE_STATUSES[function.latest.update_status][Event.PREPARED],
        update_status_reason=None,
        update_status_reason_code=None,
    )
    return replace(function, latest=latest, serving=latest)


def preparation_failed(function: Function, *, reason: str, code: str, revision_id: str) -> Function:
    """What was pending or in progress could not be made ready. What was served before is still served."""
    before = function.latest
    latest = replace(
        before,
        revision_id=revision_id,
        state=STATES[before.state][Event.PREPARATION_FAILED],
        update_status=UPDATE_STATUSES[before.update_status][Event.PREPARATION_FAILED],
    )
    if before.update_status is UpdateStatus.IN_PROGRESS:
        latest = replace(latest, update_status_reason=reason, update_status_reason_code=code)
    else:
        latest = replace(latest, state_reason=reason, state_reason_code=code)
    return replace(function, latest=latest)


def awaits_preparation(version: Version) -> bool:
    """Whether a change of this version has been accepted and has neither taken effect nor failed."""
    return version.state is State.PENDING or version.update_status is UpdateStatus.IN_PROGRESS


def require_settled(function: Function) -> None:
    """Raise ResourceConflict while a function is being created or updated: it takes no further change then."""
    if function.latest.update_status is UpdateStatus.IN_PROGRESS:
        raise ResourceConflict(
            "The operation cannot be performed at this time. An update is in progress for resource: "
            f"{FunctionArn.of(function.key)}"
        )
    if function.latest.state is State.PENDING:
        raise wrong_state(State.PENDING)


def wrong_state(state: State) -> ResourceConflict:
    """The refusal of an operation that a function in `state` does not allow."""
    return ResourceConflict(
        "The operation cannot be performed at this time. The function is currently in the following state: "
        f"{state.value}"
    )
