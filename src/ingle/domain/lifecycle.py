"""How a function moves between its states, and what each state forbids.

Pure. `control` applies these steps to what it commits; `invoke` asks for the refusal of a state. The steps are the two
tables below; a step that is not in them raises.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from ingle.domain.arn import FunctionArn
from ingle.domain.errors import ResourceConflict
from ingle.domain.function import (
    LATEST,
    PUBLISHED_VERSIONS,
    Configuration,
    Function,
    FunctionKey,
    State,
    UpdateStatus,
    Version,
)

CREATING_REASON = "The function is being created."
CREATING_CODE = "Creating"
IDLE_REASON = "The function is idle."
IDLE_CODE = "Idle"
RESTORING_REASON = "The function is being restored."
RESTORING_CODE = "Restoring"


class Event(Enum):
    """What can happen to a function that is being made ready."""

    UPDATE_ACCEPTED = auto()
    PREPARED = auto()
    PREPARATION_FAILED = auto()
    IDLED = auto()  # nobody invoked it for long, and what it needs of networks is taken from it
    WOKEN = auto()  # somebody did then


#: State of a function after an event. An update never takes away what is being served.
STATES: dict[State, dict[Event, State]] = {
    State.PENDING: {Event.PREPARED: State.ACTIVE, Event.PREPARATION_FAILED: State.FAILED},
    State.ACTIVE: {
        Event.UPDATE_ACCEPTED: State.ACTIVE,
        Event.PREPARED: State.ACTIVE,
        Event.PREPARATION_FAILED: State.ACTIVE,
        Event.IDLED: State.INACTIVE,
    },
    State.INACTIVE: {
        Event.UPDATE_ACCEPTED: State.INACTIVE,
        Event.PREPARED: State.ACTIVE,
        Event.PREPARATION_FAILED: State.INACTIVE,
        Event.WOKEN: State.PENDING,
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


def publishing(function: Function, *, description: str | None, revision_id: str, now_ms: int) -> Function:
    """`function` with one more version: a copy of `$LATEST` that nothing changes any more.

    It is active at once if what it copies is being served, and nothing is to be made ready for it alone. `description`
    replaces that of the copy. The revision of `$LATEST` is the caller's to renew, see `with_revision`.
    """
    latest = function.latest
    number = str(function.next_version)
    configuration = latest.configuration
    if description is not None:
        configuration = replace(configuration, description=description)
    version = Version(
        key=function.key,
        version=number,
        configuration=configuration,
        revision_id=revision_id,
        serial=1,
        last_modified=now_ms,
        state=State.PENDING,
        state_reason=CREATING_REASON,
        state_reason_code=CREATING_CODE,
        latest_description=latest.configuration.description,
    )
    if function.serving == latest and not starts_from_snapshot(version):
        version = _version_prepared(version, revision_id)
    return replace(function, versions={**function.versions, number: version}, next_version=function.next_version + 1)


def starts_from_snapshot(version: Version) -> bool:
    """SnapStart: the version is published, and its environments start from a snapshot that was made when it was."""
    return version.configuration.snap_start == PUBLISHED_VERSIONS and version.version != LATEST


def without_version(function: Function, number: str) -> Function:
    """`function` without a published version and what belongs to it. Its number is not given again."""
    left = {key: value for key, value in function.versions.items() if key != number}
    return replace(_without_qualifier(function, number), versions=left)


def without_alias(function: Function, name: str) -> Function:
    """`function` without an alias and what belongs to it."""
    left = {key: value for key, value in function.aliases.items() if key != name}
    return replace(_without_qualifier(function, name), aliases=left)


def _without_qualifier(function: Function, qualifier: str) -> Function:
    attachments = function.attachments.without_qualifier(qualifier)
    return replace(without_provisioned(function, qualifier), attachments=attachments)


def without_provisioned(function: Function, qualifier: str) -> Function:
    left = {key: config for key, config in function.provisioned.items() if key != qualifier}
    return replace(function, provisioned=left)


def renewed(function: Function, number: str, revision_id: str) -> Function:
    """`function` after a change that concerns a published version, but neither its code nor its settings."""
    return _with_version(function, replace(function.versions[number], revision_id=revision_id))


def with_revision(function: Function, revision_id: str) -> Function:
    """`function` after a change that touches neither code nor settings of `$LATEST`, but its revision."""
    latest = replace(function.latest, revision_id=revision_id)
    return replace(function, latest=latest, serving=latest if function.serving == function.latest else function.serving)


def revision_of(function: Function, qualifier: str) -> str | None:
    """The revision of `$LATEST`, of a published version or of an alias; None if there is no such qualifier."""
    holder = function.aliases.get(qualifier) or function.version(qualifier)
    return None if holder is None else holder.revision_id


def with_revision_of(function: Function, qualifier: str, revision_id: str) -> Function:
    """`function` after a change of what is attached to a qualifier that exists."""
    alias = function.aliases.get(qualifier)
    if alias is not None:
        return replace(function, aliases={**function.aliases, qualifier: replace(alias, revision_id=revision_id)})
    if qualifier == LATEST:
        return with_revision(function, revision_id)
    return _with_version(function, replace(_version_of(function, qualifier), revision_id=revision_id))


def unchanged_version(function: Function) -> Version | None:
    """The version that was published last, if it is still there and `$LATEST` is what it was then."""
    newest = function.versions.get(str(function.next_version - 1))
    if newest is None:
        return None
    then = replace(newest.configuration, description=newest.latest_description or "")
    return newest if then == function.latest.configuration else None


def prepared(function: Function, *, revision_id: str, version: str = LATEST) -> Function:
    """What was pending or in progress has taken effect: it is what invocations run from now on."""
    ready = _version_prepared(_version_of(function, version), revision_id)
    function = _with(function, ready)
    return replace(function, serving=ready) if version == LATEST else function


def preparation_failed(
    function: Function, *, reason: str, code: str, revision_id: str, version: str = LATEST
) -> Function:
    """What was pending or in progress could not be made ready. What was served before is still served."""
    before = _version_of(function, version)
    after = replace(
        before,
        revision_id=revision_id,
        # What was woken in vain can be woken again.
        state=State.INACTIVE if _is_restoring(before) else STATES[before.state][Event.PREPARATION_FAILED],
        update_status=_status_after(before, Event.PREPARATION_FAILED),
    )
    if before.update_status is UpdateStatus.IN_PROGRESS:
        after = replace(after, update_status_reason=reason, update_status_reason_code=code)
    else:
        after = replace(after, state_reason=reason, state_reason_code=code)
    return _with(function, after)


def may_idle(function: Function, version: Version) -> bool:
    """Whether nothing but invocations keeps a version active."""
    if version.state is not State.ACTIVE or version.update_status is UpdateStatus.IN_PROGRESS:
        return False
    return version.version != LATEST or function.serving == version


def idled(function: Function, *, version: str, revision_id: str) -> Function:
    """A version that `may_idle` and that nobody invoked for long: it takes no invocation until it was woken."""
    after = replace(
        _version_of(function, version), revision_id=revision_id, state=STATES[State.ACTIVE][Event.IDLED],
        state_reason=IDLE_REASON, state_reason_code=IDLE_CODE,
    )  # fmt: skip
    function = _with(function, after)
    return replace(function, serving=None) if version == LATEST else function


def woken(function: Function, *, version: str, revision_id: str) -> Function:
    """An inactive version that somebody wants to invoke: it waits for what it needs."""
    after = replace(
        _version_of(function, version), revision_id=revision_id, state=STATES[State.INACTIVE][Event.WOKEN],
        state_reason=RESTORING_REASON, state_reason_code=RESTORING_CODE,
    )  # fmt: skip
    return _with(function, after)


def _is_restoring(version: Version) -> bool:
    return version.state is State.PENDING and version.state_reason_code == RESTORING_CODE


def _status_after(version: Version, event: Event) -> UpdateStatus | None:
    """Being woken is no update."""
    return version.update_status if _is_restoring(version) else UPDATE_STATUSES[version.update_status][event]


def _version_prepared(version: Version, revision_id: str) -> Version:
    return replace(
        version,
        revision_id=revision_id,
        state=STATES[version.state][Event.PREPARED],
        state_reason=None,
        state_reason_code=None,
        update_status=_status_after(version, Event.PREPARED),
        update_status_reason=None,
        update_status_reason_code=None,
    )


def _version_of(function: Function, version: str) -> Version:
    found = function.version(version)
    assert found is not None, "only versions that exist are prepared"
    return found


def _with(function: Function, version: Version) -> Function:
    """With `version` in the place of the one that it comes from."""
    return replace(function, latest=version) if version.version == LATEST else _with_version(function, version)


def _with_version(function: Function, version: Version) -> Function:
    return replace(function, versions={**function.versions, version.version: version})


def runnable(function: Function) -> tuple[Version, ...]:
    """The versions that invocations can run now."""
    serving = () if function.serving is None else (function.serving,)
    return (*serving, *(version for version in function.versions.values() if version.state is State.ACTIVE))


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
