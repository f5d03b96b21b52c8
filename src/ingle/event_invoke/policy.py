"""What becomes of an event after an attempt: tried again, when, or over. Pure.

Sources: AWS's pages on asynchronous invocation and its error handling. Function errors are tried again one and two
minutes later; what could not be run is tried again ever more rarely until the event is too old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingle.domain.event import Condition, Delivery, Event, Progress, Response
from ingle.domain.event_invoke_config import EventInvokeConfig
from ingle.domain.function import LATEST, Function
from ingle.domain.recursion import LIMIT, TERMINATE, Recursion, passes

#: AWS's defaults.
RETRIES = 2
AGE_SECONDS = 21_600
#: Seconds before the first and the second retry after a function error.
DELAYS = (60.0, 120.0)
#: Seconds before what could not be run, or delivered, is tried again: doubled each time, up to this.
LONGEST_BACKOFF = 300
#: For how long a destination that fails is tried, in milliseconds, from the end of the event.
DELIVERY_MS = 6 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for the events of one qualifier of a function. `age_ms`: how old an event may become."""

    retries: int = RETRIES
    age_ms: int = AGE_SECONDS * 1000
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None
    stopped: bool = False  # nothing of the function may run
    loops_end: bool = True  # what the function sent itself too often is dropped

    @staticmethod
    def of(function: Function, qualifier: str | None) -> Rules:
        """The settings are looked up by the qualifier that was invoked, the dead-letter target is `$LATEST`'s."""
        config = function.attachments.get(EventInvokeConfig, qualifier or LATEST)
        retries = None if config is None else config.maximum_retries
        age = None if config is None else config.maximum_age_seconds
        return Rules(
            retries=RETRIES if retries is None else retries,
            age_ms=(AGE_SECONDS if age is None else age) * 1000,
            on_success=None if config is None else config.on_success,
            on_failure=None if config is None else config.on_failure,
            dead_letter=function.latest.configuration.dead_letter_target,
            stopped=function.reserved == 0,
            loops_end=(function.attachments.get(Recursion, LATEST) or Recursion()).loop == TERMINATE,
        )


def before_attempt(event: Event, progress: Progress, rules: Rules, now: int) -> Progress | None:
    """The end of an event that must not be run any more; None if it may be."""
    if rules.stopped:
        return _over(progress, Condition.ZERO_RESERVED, rules, now)
    if rules.loops_end and passes(event.trace_header, event.key) >= LIMIT:
        return _over(progress, Condition.RECURSIVE, rules, now)
    if now - event.accepted >= rules.age_ms:
        return _over(progress, Condition.AGE_EXCEEDED, rules, now)
    return None


def answered(
    event: Event, progress: Progress, response: Response, rules: Rules, now: int, delays: Sequence[float] = DELAYS
) -> Progress:
    """After the function ran."""
    progress = replace(progress, attempts=progress.attempts + 1, refusals=0, response=response)
    if response.error is None:
        return _over(progress, Condition.SUCCESS, rules, now)
    progress = replace(progress, failures=progress.failures + 1)
    if progress.failures > rules.retries:
        return _over(progress, Condition.RETRIES_EXHAUSTED, rules, now)
    delay = delays[min(progress.failures, len(delays)) - 1]
    return replace(progress, due=_within_age(event, rules, now + int(delay * 1000)))


def refused(event: Event, progress: Progress, rules: Rules, now: int) -> Progress:
    """After it could not be run: throttled, or something failed that is not the function's fault."""
    progress = replace(progress, refusals=progress.refusals + 1)
    return replace(progress, due=_within_age(event, rules, now + backoff(progress.refusals)))


def postponed(progress: Progress, now: int) -> Progress:
    """After something failed that nobody foresaw."""
    progress = replace(progress, refusals=progress.refusals + 1)
    return replace(progress, due=now + backoff(progress.refusals))


def is_stale(progress: Progress, now: int) -> bool:
    """Whether a delivery that fails is given up."""
    return now - progress.ended >= DELIVERY_MS


def undelivered(progress: Progress, now: int, *, final: bool = False) -> Progress:
    """After the first of the deliveries failed. It is given up in the end, at once if the failure is `final`."""
    return delivered(progress) if final or is_stale(progress, now) else postponed(progress, now)


def delivered(progress: Progress) -> Progress:
    """Without the first of the deliveries."""
    return replace(progress, deliveries=progress.deliveries[1:], refusals=0)


def backoff(times: int) -> int:
    """Milliseconds to wait after so many failures in a row."""
    return min(1 << min(times - 1, 20), LONGEST_BACKOFF) * 1000


def _within_age(event: Event, rules: Rules, due: int) -> int:
    """At the latest when the event becomes too old: its end is not put off."""
    return min(due, event.accepted + rules.age_ms)


def _over(progress: Progress, condition: Condition, rules: Rules, now: int) -> Progress:
    if condition is Condition.SUCCESS:
        wanted = [Delivery(arn=rules.on_success)] if rules.on_success else []
    else:
        wanted = [Delivery(arn=rules.on_failure)] if rules.on_failure else []
        if rules.dead_letter:
            wanted.append(Delivery(arn=rules.dead_letter, dead_letter=True))
    return replace(progress, condition=condition, ended=now, due=now, refusals=0, deliveries=tuple(wanted))
