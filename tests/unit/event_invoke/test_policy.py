"""What becomes of an event: examples from the documentation, and properties of every course it can take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.event import Condition, Delivery, Progress, Response
from ingle.event_invoke import policy
from ingle.event_invoke.policy import Rules

from .events import KEY, QUEUE, THEN, TOPIC, config, event, function

GOOD = Response(version="$LATEST", payload=b"1")
BAD = Response(version="$LATEST", payload=b'{"errorMessage": "no"}', error="Unhandled")
FRESH = Progress(due=THEN)


def test_without_a_configuration_the_defaults_hold():
    assert Rules.of(function(), None) == Rules(retries=2, age_ms=6 * 3600 * 1000)


def test_rules_are_those_of_the_qualifier_that_was_invoked():
    made = function(config=config(maximum_retries=0, maximum_age_seconds=60, on_success=QUEUE, on_failure=TOPIC),
                    qualifier="live", dead_letter=QUEUE)  # fmt: skip
    assert Rules.of(made, "live") == Rules(
        retries=0, age_ms=60_000, on_success=QUEUE, on_failure=TOPIC, dead_letter=QUEUE
    )
    assert Rules.of(made, None) == Rules.of(made, "$LATEST") == Rules(dead_letter=QUEUE)


def test_a_configuration_of_the_function_is_that_of_latest_too():
    made = function(config=config(maximum_retries=1))
    assert Rules.of(made, None).retries == Rules.of(made, "$LATEST").retries == 1
    assert Rules.of(made, "1").retries == 2


def test_a_reserve_of_zero_stops_a_function():
    assert Rules.of(function(reserved=0), None).stopped
    assert not Rules.of(function(reserved=1), None).stopped
    over = policy.before_attempt(event(), FRESH, Rules(stopped=True, on_failure=QUEUE), THEN)
    assert over is not None
    assert (over.condition, over.attempts) == (Condition.ZERO_RESERVED, 0)
    assert over.deliveries == (Delivery(arn=QUEUE),)


def test_function_errors_are_tried_again_after_one_and_two_minutes():
    progress, now = FRESH, THEN
    waited = []
    while progress.condition is None:
        after = policy.answered(event(), progress, BAD, Rules(), now)
        waited.append(after.due - now)
        progress, now = after, after.due
    assert waited == [60_000, 120_000, 0]
    assert (progress.condition, progress.attempts) == (Condition.RETRIES_EXHAUSTED, 3)


def test_what_cannot_be_run_is_tried_ever_more_rarely_but_every_five_minutes():
    progress, now, waited = FRESH, THEN, []
    for _ in range(12):
        progress = policy.refused(event(), progress, Rules(), now)
        waited.append((progress.due - now) // 1000)
        now = progress.due
    assert waited == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert (progress.attempts, progress.failures) == (0, 0)


def test_refusals_are_counted_in_a_row():
    progress = policy.answered(event(), replace(FRESH, refusals=5), BAD, Rules(), THEN)
    assert progress.refusals == 0
    assert policy.refused(event(), progress, Rules(), THEN).due == THEN + 1000


def test_an_event_that_is_too_old_ends_when_it_becomes_so_and_keeps_the_last_response():
    rules = Rules(age_ms=60_000)
    progress = policy.answered(event(), FRESH, BAD, rules, THEN + 30_000)
    assert progress.due == THEN + 60_000
    over = policy.before_attempt(event(), progress, rules, progress.due)
    assert over is not None
    assert (over.condition, over.response, over.attempts) == (Condition.AGE_EXCEEDED, BAD, 1)


def test_results_go_where_they_are_wanted():
    rules = Rules(retries=0, on_success=QUEUE, on_failure=TOPIC, dead_letter=QUEUE)
    good = policy.answered(event(), FRESH, GOOD, rules, THEN)
    assert good.deliveries == (Delivery(arn=QUEUE),)
    bad = policy.answered(event(), FRESH, BAD, rules, THEN)
    assert bad.deliveries == (Delivery(arn=TOPIC), Delivery(arn=QUEUE, dead_letter=True))
    assert policy.delivered(bad).deliveries == bad.deliveries[1:]


def test_a_delivery_is_tried_for_six_hours_and_then_given_up():
    over = policy.answered(event(), FRESH, GOOD, Rules(on_success=QUEUE), THEN)
    progress, now, often = over, THEN, 0
    while progress.deliveries:
        now, often = progress.due, often + 1
        progress = policy.undelivered(progress, now)
    assert 6 * 3600 * 1000 <= now - THEN < 6 * 3600 * 1000 + 300_000
    assert often > 70


def test_a_delivery_that_can_never_be_made_is_given_up_at_once():
    over = policy.answered(event(), FRESH, BAD, Rules(retries=0, on_failure=TOPIC, dead_letter=QUEUE), THEN)
    assert policy.undelivered(over, THEN, final=True).deliveries == (Delivery(arn=QUEUE, dead_letter=True),)


OUTCOMES = st.lists(st.sampled_from(["good", "bad", "refused", "trouble"]), min_size=1, max_size=40)
TIMES = st.integers(0, 400_000)


@given(
    outcomes=OUTCOMES, took=st.lists(TIMES, min_size=1), retries=st.integers(0, 2), age=st.integers(60, 21_600),
    failures=st.sampled_from([None, QUEUE]), dead=st.sampled_from([None, TOPIC]),
)  # fmt: skip
def test_every_course_ends_and_keeps_what_was_promised(outcomes, took, retries, age, failures, dead):
    """Whatever happens, again and again: no attempt beyond the age, no attempt too many, and an end."""
    rules = Rules(retries=retries, age_ms=age * 1000, on_success=QUEUE, on_failure=failures, dead_letter=dead)
    the_event, progress, now, steps, failed = event(), FRESH, THEN, 0, 0
    while progress.condition is None:
        now = max(now, progress.due)
        assert progress.due <= THEN + rules.age_ms or outcomes[steps % len(outcomes)] == "trouble" or steps
        over = policy.before_attempt(the_event, progress, rules, now)
        if over is not None:
            progress = over
            break
        assert now - THEN < rules.age_ms
        outcome = outcomes[steps % len(outcomes)]
        now += took[steps % len(took)]
        before = progress
        if outcome == "refused":
            progress = policy.refused(the_event, progress, rules, now)
        elif outcome == "trouble":
            progress = policy.postponed(progress, now)
        else:
            failed += outcome == "bad"
            progress = policy.answered(the_event, progress, GOOD if outcome == "good" else BAD, rules, now)
            assert progress.attempts == before.attempts + 1
        steps += 1
        assert steps < 30_000
    assert failed <= retries + 1
    assert progress.failures == failed
    assert (progress.condition is Condition.RETRIES_EXHAUSTED) == (failed == retries + 1)
    if progress.condition is Condition.AGE_EXCEEDED:
        assert now - THEN >= rules.age_ms
    wanted = [Delivery(arn=QUEUE)] if progress.condition is Condition.SUCCESS else [
        *([Delivery(arn=failures)] if failures else []), *([Delivery(arn=dead, dead_letter=True)] if dead else []),
    ]  # fmt: skip
    assert list(progress.deliveries) == wanted


@given(refusals=st.integers(1, 10_000))
def test_the_backoff_is_bounded(refusals):
    assert 1000 <= policy.backoff(refusals) <= 300_000
    assert policy.backoff(refusals) <= policy.backoff(refusals + 1)


@pytest.mark.parametrize("delays", [(5.0,), (5.0, 7.0), (5.0, 7.0, 9.0)])
def test_delays_are_a_setting_whose_last_one_goes_on(delays):
    first = policy.answered(event(), FRESH, BAD, Rules(), THEN, delays)
    second = policy.answered(event(), first, BAD, Rules(), THEN, delays)
    assert (first.due - THEN, second.due - THEN) == (5000, 7000 if len(delays) > 1 else 5000)


def test_the_key_of_the_function_is_not_part_of_the_rules():
    other = replace(KEY, name="g")
    assert Rules.of(function(other), None) == Rules.of(function(), None)
