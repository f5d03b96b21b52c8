"""Events and functions for the tests of this directory."""

from __future__ import annotations

from dataclasses import replace

from ingle.domain.attachments import Attachments
from ingle.domain.event import Event
from ingle.domain.event_invoke_config import EventInvokeConfig
from ingle.domain.function import Configuration, Function, FunctionKey, Package, State, Version

KEY = FunctionKey(account="000000000000", region="us-east-1", name="f")
#: A moment, in epoch milliseconds.
THEN = 1_700_000_000_123
QUEUE = "arn:aws:sqs:us-east-1:000000000000:results"
TOPIC = "arn:aws:sns:us-east-1:000000000000:failures"


def function(key=KEY, config=None, qualifier="$LATEST", reserved=None, dead_letter=None):
    version = Version(
        key=key, version="$LATEST", revision_id="r", serial=1, last_modified=0, state=State.ACTIVE,
        configuration=Configuration(
            runtime="python3.11", handler="app.handler", role="arn:aws:iam::000000000000:role/r",
            package=Package(digest="00" * 32, size=1), dead_letter_target=dead_letter,
        ),
    )  # fmt: skip
    attached = Attachments() if config is None else Attachments().having(qualifier, config)
    return Function(key=key, latest=version, serving=version, attachments=attached, reserved=reserved)


def config(**settings):
    return EventInvokeConfig(last_modified=0, **settings)


def event(number=1, key=KEY, qualifier=None, **changes):
    arn = f"arn:aws:lambda:{key.region}:{key.account}:function:{key.name}"
    made = Event(
        id=f"id-{number}", key=key, qualifier=qualifier, payload=b"{}", accepted=THEN,
        arn=arn if qualifier is None else f"{arn}:{qualifier}",
    )  # fmt: skip
    return replace(made, **changes)
