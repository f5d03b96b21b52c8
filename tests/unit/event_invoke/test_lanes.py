"""How much of a lane may be under way, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.event import Progress
from ingle.event_invoke.lanes import AT_ONCE, MOST, Entry, Lane, Share

from .events import KEY, THEN, event


def lane(capacity=1000):
    return Lane(KEY, Share(capacity))


def entry(number, due=THEN):
    return Entry(number, event(number), Progress(due=due), loaded=True)


def taken(found, now):
    made = []
    while (item := found.take(now)) is not None:
        made.append(item.number)
    return made


def test_what_is_due_first_is_first_and_nothing_is_taken_before():
    found = lane()
    for number, due in ((1, 3000), (2, 1000), (3, 1000), (4, 9000)):
        found.push(entry(number, due))
    assert taken(found, 999) == []
    assert taken(found, 3000) == [2, 3, 1]
    assert found.seconds(3000) == 6.0


def test_one_may_always_run_however_little_there_is():
    first, second = Lane(KEY, Share(1)), None
    second = Lane("other", first.share)
    for number in (1, 2):
        first.push(entry(number))
        second.push(entry(number))
    assert taken(first, THEN) == [1]
    assert taken(second, THEN) == [1]


def test_a_limit_is_learned_and_forgotten_bit_by_bit():
    found = lane()
    for number in range(20):
        found.push(entry(number))
    assert len(taken(found, THEN)) == AT_ONCE
    found.refused()
    assert found.limit == AT_ONCE - 1
    for _ in range(AT_ONCE):
        found.leave()
    assert len(taken(found, THEN)) == AT_ONCE - 1
    for _ in range(10):
        found.succeeded(THEN)
    found.leave()
    assert len(taken(found, THEN)) == 2


def test_what_had_to_wait_is_looked_at_again_and_nothing_is_put_off_for_long():
    found = lane()
    assert found.seconds(THEN) is None
    found.push(entry(1, THEN + 3_600_000))
    assert found.seconds(THEN) == 60.0
    found.push(entry(2, THEN - 5))
    assert found.seconds(THEN) == 1.0


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 500)), max_size=300), st.integers(2, 40))
def test_there_is_room_for_others_whatever_lanes_do(steps, capacity):
    """Lanes that take and leave in any order: while lanes are fewer than the capacity, an idle one may begin."""
    share = Share(capacity)
    lanes = [Lane(str(number), share) for number in range(5)]
    now = THEN
    for step, (number, leave, seconds) in enumerate(steps):
        found = lanes[number]
        now += seconds * 1000
        if leave and found.running:
            found.leave()
            found.written()
        else:
            found.push(entry(step))
            found.take(now)
        assert share.running == sum(item.running for item in lanes)
        assert all(item.running <= MOST for item in lanes)
        assert share.running <= capacity + len(lanes)
        assert all(item.running <= max(1, (capacity + 1) // 2) for item in lanes)


def grown(seconds, rate):
    """The window of a lane whose head is late, after some seconds in which so much ended as `rate(window)` tells."""
    found, now = lane(), THEN
    for number in range(100_000):
        found.waiting.append((THEN, number, entry(number)))
    for _ in range(seconds):
        now += 1000
        for _ in range(rate(found.window) if found.running else 0):
            found.leave()
            found.written()
            taken(found, now)
        taken(found, now)
    return found.window


def test_functions_that_wait_get_more_and_those_that_work_do_not():
    slow = grown(30, lambda window: 1)
    waiting = grown(30, lambda window: window * 10)
    working = grown(30, lambda window: 1000)
    assert slow > 60
    assert waiting > 35
    assert working < 15
