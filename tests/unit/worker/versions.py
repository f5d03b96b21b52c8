"""Versions for the tests of the worker."""

from __future__ import annotations

from typing import Any

from ingle.domain.function import Configuration, FunctionKey, LoggingConfig, Package, State, Version


def version_of(runtime: str = "python3.12", **settings: Any) -> Version:
    given = {"logging": LoggingConfig(group="/aws/lambda/mine"), **settings}
    configuration = Configuration(
        runtime=runtime, handler="app.handler", role="arn:aws:iam::000000000000:role/r",
        package=Package(digest="ab" * 32, size=1), **given,
    )  # fmt: skip
    key = FunctionKey(account="111122223333", region="eu-west-1", name="mine")
    return Version(key=key, version="$LATEST", configuration=configuration, revision_id="r", serial=1,
                   last_modified=0, state=State.ACTIVE)  # fmt: skip
