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
from ingle.invoke.rates import Rate
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


class Seconds:
    """A clock that stands until a test turns it on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def admitting(limit: int, *functions: Function, clock: Seconds | None = None) -> tuple[Catalog, Admission]:
    """With a clock, ten invocations a second may begin for each that may run at one time."""
    catalog = Catalog(limit)
    admission = Admission(catalog) if clock is None else Admission(catalog, 10, clock)
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


def begin(admission: Admission, version: Version, times: int) -> list[str | None]:
    """Invocations that end as soon as they began: why each was refused."""
    return [reason(admission, version) for _ in range(times)]


def test_ten_invocations_a_second_for_each_that_may_run_at_one_time() -> None:
    clock = Seconds()
    _, admission = admitting(10, function_of(reserved=2), function_of(OTHER), clock=clock)
    assert begin(admission, VERSION, 21) == [None] * 20 + ["ReservedFunctionInvocationRateLimitExceeded"]
    # Functions without a reserve have what the account has left, together.
    assert begin(admission, OTHER, 81) == [None] * 80 + ["FunctionInvocationRateLimitExceeded"]
    clock.now += 0.5
    assert begin(admission, VERSION, 11) == [None] * 10 + ["ReservedFunctionInvocationRateLimitExceeded"]
    clock.now += 60
    assert begin(admission, VERSION, 21).count(None) == 20


def test_the_accounts_rate_says_when_to_come_back() -> None:
    _, admission = admitting(1, function_of(), clock=Seconds())
    begin(admission, VERSION, 10)
    with pytest.raises(TooManyRequests) as raised:
        admission.admit(VERSION)
    assert raised.value.members == {"Reason": "FunctionInvocationRateLimitExceeded", "retryAfterSeconds": "1"}


def test_what_is_provisioned_has_a_rate_of_its_own_and_spills_over() -> None:
    _, admission = admitting(10, function_of(reserved=3, provisioned=2), clock=Seconds())
    assert begin(admission, ONE, 31) == [None] * 30 + ["ReservedFunctionInvocationRateLimitExceeded"]
    assert reason(admission, VERSION) == "ReservedFunctionInvocationRateLimitExceeded"


def test_a_reserve_that_is_all_provisioned_has_the_rate_of_that() -> None:
    _, admission = admitting(10, function_of(reserved=2, provisioned=2), clock=Seconds())
    assert begin(admission, ONE, 21) == [None] * 20 + ["ReservedFunctionInvocationRateLimitExceeded"]


def test_a_larger_reserve_counts_at_once() -> None:
    catalog, admission = admitting(10, function_of(reserved=1), clock=(clock := Seconds()))
    begin(admission, VERSION, 11)
    catalog.put(function_of(reserved=4))
    clock.now += 0.25
    assert begin(admission, VERSION, 11).count(None) == 10


@given(st.integers(1, 5), st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_no_second_has_more_than_its_share(concurrency: int, gaps: list[float]) -> None:
    rate, now, begun = Rate(), 0.0, []
    for gap in gaps:
        now += gap
        if rate.take(10 * concurrency, now):
            begun.append(now)
    for start in begun:
        # A full bucket and what flows in within the second.
        assert sum(start <= moment < start + 1 for moment in begun) <= 20 * concurrency
    assert len(begun) <= 10 * concurrency * (1 + now)


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
