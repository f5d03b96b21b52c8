"""Versions for the tests of the worker."""

from __future__ import annotations

from typing import Any

from ingle.domain.credentials import Credentials
from ingle.domain.function import Configuration, FunctionKey, LoggingConfig, Package, State, Version
from ingle.runtime_api.identity import Identity
from ingle.worker.opened import OpenedVersion


def version_of(runtime: str = "python3.12", **settings: Any) -> Version:
    given = {"logging": LoggingConfig(group="/aws/lambda/mine"), **settings}
    configuration = Configuration(
        runtime=runtime, handler="app.handler", role="arn:aws:iam::000000000000:role/r",
        package=Package(digest="ab" * 32, size=1), **given,
    )  # fmt: skip
    key = FunctionKey(account="111122223333", region="eu-west-1", name="mine")
    return Version(key=key, version="$LATEST", configuration=configuration, revision_id="r", serial=1,
                   last_modified=0, state=State.ACTIVE)  # fmt: skip


def opened(runtime: str = "python3.12", *, environment: dict[str, str] | None = None, **settings: Any) -> OpenedVersion:
    return OpenedVersion(version=version_of(runtime, **settings), variables=environment or {})


IDENTITY = Identity(
    zone="use1-az1", metadata_token="open", credentials_token="sesame",
    credentials=lambda: Credentials(
        access_key_id="111122223333", secret_access_key="hidden", session_token="also", expires=1_893_456_000_000
    ),
)  # fmt: skip
