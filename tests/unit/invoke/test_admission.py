"""Permits: what is refused, and that no order of invocations, endings and changes of settings leaves a count wrong."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.catalog import Catalog
from ingle.domain.concurrency import Provisioned, provisioned_versions, total_provisioned
from ingle.domain.errors import TooManyRequests
from ingle.domain.function import Function, Version
from ingle.invoke.admission import Admission
from unit.invoke.test_invoker import KEY, VERSION

ONE = replace(VERSION, version="1")
OTHER = replace(VERSION, key=replace(KEY, name="other"))
RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT = "ConcurrentInvocationLimitExceeded"


def function_of(version: Version = VERSION, *, reserved: int | None = None, provisioned: int = 0) -> Function:
    """With a version 1, which has so much provisioned."""
    configs = {"1": Provisioned(requested=provisioned, last_modified=0)} if provisioned else {}
    latest = replace(version, version="$LATEST")
    return Function(
        key=version.key, latest=latest, serving=latest, versions={"1": replace(version, version="1")},
        reserved=reserved, provisioned=configs,
    )  # fmt: skip


def admitting(limit: int, *functions: Function) -> tuple[Catalog, Admission]:
    catalog = Catalog(limit)
    admission = Admission(catalog)
    for function in functions:
        catalog.put(function)
    return catalog, admission


def reason(admission: Admission, version: Version) -> str | None:
    """Why an invocation would be refused now."""
    try:
        admission.admit(version)
    except TooManyRequests as error:
        return str(error.members["Reason"])
    return None


def test_a_reserve_is_a_cap_of_all_versions_together() -> None:
    _, admission = admitting(10, function_of(reserved=2))
    with admission.admit(VERSION), admission.admit(ONE):
        assert (reason(admission, VERSION), reason(admission, ONE)) == (RESERVED, RESERVED)
    assert reason(admission, ONE) is None


def test_a_reserve_is_there_when_the_rest_of_the_account_is_used_up() -> None:
    _, admission = admitting(3, function_of(reserved=2), function_of(OTHER))
    with admission.admit(OTHER):
        assert reason(admission, OTHER) == ACCOUNT
        with admission.admit(VERSION), admission.admit(VERSION):
            assert reason(admission, VERSION) == RESERVED


def test_a_reserve_of_nothing_admits_nothing() -> None:
    _, admission = admitting(3, function_of(reserved=0))
    assert reason(admission, VERSION) == RESERVED


def test_what_is_provisioned_is_there_for_its_version_only_and_spills_over() -> None:
    _, admission = admitting(10, function_of(reserved=3, provisioned=2))
    with admission.admit(VERSION):
        assert reason(admission, VERSION) == RESERVED
        with admission.admit(ONE), admission.admit(ONE):
            assert reason(admission, ONE) == RESERVED
    with admission.admit(ONE), admission.admit(ONE), admission.admit(ONE):
        assert (reason(admission, ONE), reason(admission, VERSION)) == (RESERVED, RESERVED)


def test_without_a_reserve_it_is_taken_out_of_the_accounts_pool() -> None:
    _, admission = admitting(3, function_of(provisioned=2), function_of(OTHER))
    with admission.admit(ONE), admission.admit(OTHER):
        assert (reason(admission, OTHER), reason(admission, VERSION)) == (ACCOUNT, ACCOUNT)
        assert admission.running("000000000000", "us-east-1") == 1
        assert reason(admission, ONE) is None


def test_a_reserve_that_is_set_counts_what_runs_already() -> None:
    catalog, admission = admitting(10, function_of(), function_of(OTHER))
    with admission.admit(VERSION), admission.admit(VERSION):
        catalog.put(function_of(reserved=2))
        assert reason(admission, VERSION) == RESERVED
        assert admission.running("000000000000", "us-east-1") == 0
        catalog.put(function_of())
        assert admission.running("000000000000", "us-east-1") == 2
    assert admission.running("000000000000", "us-east-1") == 0


def test_the_most_that_ran_unreserved_is_told_once() -> None:
    _, admission = admitting(10, function_of(reserved=5), function_of(OTHER))
    with admission.admit(OTHER), admission.admit(OTHER), admission.admit(VERSION):
        pass
    assert list(admission.unreserved()) == [("000000000000", "us-east-1", 2)]
    assert list(admission.unreserved()) == [("000000000000", "us-east-1", 0)]


def test_an_account_limit_says_when_to_come_back() -> None:
    _, admission = admitting(1, function_of())
    with admission.admit(VERSION), pytest.raises(TooManyRequests) as raised:
        admission.admit(VERSION)
    assert raised.value.members["retryAfterSeconds"] == "1"


VERSIONS = (VERSION, ONE, OTHER, replace(OTHER, version="1"))
_settings = st.tuples(st.none() | st.integers(0, 4), st.integers(0, 3)).map(
    lambda drawn: (drawn[0] if drawn[0] is None else max(drawn[0], drawn[1]), drawn[1])
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("invoke"), st.sampled_from(VERSIONS)),
        st.tuples(st.just("end"), st.integers(0, 20)),
        st.tuples(st.just("crash"), st.integers(0, 20)),
        st.tuples(st.just("set"), st.sampled_from((VERSION, OTHER)), _settings),
        st.tuples(st.just("delete"), st.sampled_from((VERSION, OTHER))),
    ),
    max_size=60,
)


@given(_steps)
def test_counts_follow_what_runs_in_any_order(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    catalog, admission = admitting(8, function_of(), function_of(OTHER))
    running: list[tuple[Version, object, ExitStack]] = []
    for step in steps:
        if step[0] == "invoke" and catalog.get(step[1].key) is not None:
            refused = reason(admission, step[1])
            assert refused == expected(catalog, admission, running, step[1])
            if refused is None:
                stack = ExitStack()
                slot = admission.admit(step[1])
                stack.enter_context(slot)
                running.append((step[1], slot, stack))
        elif step[0] in ("end", "crash") and running:
            _, _, stack = running.pop(step[1] % len(running))
            if step[0] == "end":
                stack.close()
            else:
                error = RuntimeError()
                stack.__exit__(RuntimeError, error, None)
        elif step[0] == "set":
            reserved, provisioned = step[2]
            catalog.put(function_of(step[1], reserved=reserved, provisioned=provisioned))
        elif step[0] == "delete":
            catalog.remove(step[1].key)
        assert admission.running("000000000000", "us-east-1") == in_pool(catalog, admission, running)
    for _, _, stack in running:
        stack.close()
    assert admission.running("000000000000", "us-east-1") == 0
    assert not [slot for slot in admission._slots.values() if slot.running or slot.share.running]


def beyond(function: Function, admission: Admission, running: list) -> int:  # type: ignore[type-arg]
    """What runs of a function beyond what is provisioned, worked out anew. Earlier lives of its name do not count."""
    promised = provisioned_versions(function)
    total = 0
    for number in ("$LATEST", "1"):
        slot = admission._slots.get((function.key, number))
        runs = sum(item[1] is slot for item in running)
        total += max(runs - promised.get(number, 0), 0)
    return total


def in_pool(catalog: Catalog, admission: Admission, running: list) -> int:  # type: ignore[type-arg]
    living = sum(beyond(function, admission, running) for function in catalog if function.reserved is None)
    orphans = sum(item[1] not in admission._slots.values() for item in running)
    return living + orphans


def expected(catalog: Catalog, admission: Admission, running: list, version: Version) -> str | None:  # type: ignore[type-arg]
    function = catalog.get(version.key)
    assert function is not None
    slot = admission._slots.get((version.key, version.version))
    runs = sum(item[1] is slot for item in running)
    if runs < provisioned_versions(function).get(version.version, 0):
        return None
    if function.reserved is not None:
        full = beyond(function, admission, running) >= function.reserved - total_provisioned(function)
        return RESERVED if full else None
    room = catalog.concurrency.unreserved("000000000000", "us-east-1")
    return ACCOUNT if in_pool(catalog, admission, running) >= room else None
