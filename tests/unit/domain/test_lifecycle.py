"""The steps between a function's states."""

from __future__ import annotations

import pytest

from ingle.domain import lifecycle
from ingle.domain.errors import ResourceConflict
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, Package, State, UpdateStatus

KEY = FunctionKey(account="111111111111", region="us-east-1", name="F")
OLD = Configuration(runtime="python3.12", handler="a.b", role="r", package=Package(digest="0" * 64, size=1))
NEW = Configuration(runtime="python3.13", handler="a.b", role="r", package=Package(digest="1" * 64, size=2))


def pending() -> Function:
    return lifecycle.created(KEY, LATEST, OLD, revision_id="r1", now_ms=1)


def active() -> Function:
    return lifecycle.prepared(pending(), revision_id="r2")


def in_progress(function: Function) -> Function:
    return lifecycle.updating(function, NEW, revision_id="r3", now_ms=2)


def test_a_new_function_is_pending_and_serves_nothing() -> None:
    function = pending()
    assert function.serving is None
    assert (function.latest.state, function.latest.state_reason_code) == (State.PENDING, "Creating")
    assert function.latest.update_status is None


def test_a_prepared_function_is_active_with_a_new_revision() -> None:
    latest = active().latest
    assert (latest.state, latest.update_status) == (State.ACTIVE, UpdateStatus.SUCCESSFUL)
    assert (latest.state_reason, latest.revision_id, latest.last_modified) == (None, "r2", 1)
    assert active().serving == latest


def test_an_update_is_shown_but_not_served_until_prepared() -> None:
    function = in_progress(active())
    assert function.latest.configuration == NEW
    assert (function.latest.serial, function.latest.update_status) == (2, UpdateStatus.IN_PROGRESS)
    assert function.serving is not None
    assert function.serving.configuration == OLD
    done = lifecycle.prepared(function, revision_id="r4")
    assert done.serving == done.latest
    assert done.latest.configuration == NEW


def test_a_failed_update_leaves_the_old_configuration_serving() -> None:
    function = lifecycle.preparation_failed(in_progress(active()), reason="why", code="InvalidRuntime", revision_id="r")
    assert (function.latest.state, function.latest.update_status) == (State.ACTIVE, UpdateStatus.FAILED)
    assert (function.latest.update_status_reason, function.latest.state_reason) == ("why", None)
    assert function.serving is not None
    assert function.serving.configuration == OLD
    assert lifecycle.prepared(in_progress(function), revision_id="r").latest.update_status_reason is None


def test_a_failed_creation_can_be_updated_into_being_active() -> None:
    failed = lifecycle.preparation_failed(pending(), reason="why", code="InvalidRuntime", revision_id="r2")
    assert (failed.latest.state, failed.latest.state_reason) == (State.FAILED, "why")
    assert (failed.latest.update_status, failed.serving) == (None, None)
    assert lifecycle.prepared(in_progress(failed), revision_id="r").latest.state is State.ACTIVE


def test_a_step_that_is_not_in_the_tables_raises() -> None:
    with pytest.raises(KeyError):
        in_progress(pending())
    with pytest.raises(KeyError):
        lifecycle.prepared(active(), revision_id="r")


def test_no_change_is_accepted_while_one_is_under_way() -> None:
    lifecycle.require_settled(active())
    with pytest.raises(ResourceConflict) as raised:
        lifecycle.require_settled(pending())
    assert raised.value.message == (
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )
    with pytest.raises(ResourceConflict) as raised:
        lifecycle.require_settled(in_progress(active()))
    assert raised.value.message == (
        "The operation cannot be performed at this time. An update is in progress for resource: "
        "arn:aws:lambda:us-east-1:111111111111:function:F"
    )


@pytest.mark.parametrize("function", [pending(), in_progress(active())])
def test_accepted_changes_await_preparation(function: Function) -> None:
    assert lifecycle.awaits_preparation(function.latest)
    assert not lifecycle.awaits_preparation(lifecycle.prepared(function, revision_id="r").latest)
