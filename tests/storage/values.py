"""Domain values for the storage tests, fixed and random."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from ingle.domain.alias import Alias
from ingle.domain.attached import FileSystem, Vpc
from ingle.domain.function import (
    LATEST,
    Configuration,
    Function,
    FunctionKey,
    LayerReference,
    LoggingConfig,
    Package,
    State,
    UpdateStatus,
    Version,
)
from ingle.domain.sealed import SealedVariables


class FixedClock:
    def __init__(self, milliseconds: int = 1_700_000_000_000) -> None:
        self.milliseconds = milliseconds

    def now(self) -> float:
        return self.milliseconds / 1000


def fill_disk(path: Path) -> Path:
    """Leaves no space on the file system of `path`; returns the file that took it."""
    filler = path / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return filler


def names(path: Path, pattern: str = "*") -> list[str]:
    """What is below a directory, sorted."""
    return sorted(str(found.relative_to(path)) for found in path.glob(pattern))


def make_function(name: str = "hello", *, digest: str = "ab" * 32, region: str = "us-east-1") -> Function:
    key = FunctionKey(account="000000000000", region=region, name=name)
    configuration = Configuration(
        runtime="python3.12", handler="app.handler", role="arn:r", package=Package(digest=digest, size=1)
    )
    latest = Version(
        key=key,
        version=LATEST,
        configuration=configuration,
        revision_id="r-1",
        serial=1,
        last_modified=5,
        state=State.PENDING,
    )
    return Function(key=key, latest=latest)


def updated(function: Function) -> Function:
    """The function while an update is in progress."""
    latest = replace(function.latest, serial=2, revision_id="r-2", update_status=UpdateStatus.IN_PROGRESS)
    return replace(function, latest=latest, serving=replace(function.latest, state=State.ACTIVE))


def published(function: Function, number: str = "1") -> Function:
    """The function with one more version."""
    version = replace(function.latest, version=number, revision_id=f"v-{number}", state=State.ACTIVE)
    return replace(function, versions={**function.versions, number: version}, next_version=int(number) + 1)


_text = st.text(max_size=20)
_texts = st.lists(_text, max_size=2).map(tuple)
_packages = st.builds(Package, digest=_text, size=st.integers(0, 2**40), unzipped=st.none() | st.integers(0, 2**40))
_configurations = st.builds(
    Configuration,
    runtime=_text,
    handler=_text,
    role=_text,
    package=_packages,
    layers=st.lists(st.builds(LayerReference, arn=_text, package=_packages), max_size=3).map(tuple),
    description=_text,
    timeout=st.integers(1, 900),
    memory=st.integers(128, 10240),
    ephemeral_storage=st.integers(512, 10240),
    architecture=_text,
    environment=st.none() | st.builds(SealedVariables, data_key=st.binary(), ciphertext=st.binary()),
    kms_key_arn=st.none() | _text,
    tracing_mode=_text,
    snap_start=_text,
    dead_letter_target=st.none() | _text,
    logging=st.builds(
        LoggingConfig,
        format=_text,
        group=_text,
        application_level=st.none() | _text,
        system_level=st.none() | _text,
    ),
    vpc=st.none() | st.builds(Vpc, subnets=_texts, security_groups=_texts, ipv6=st.booleans()),
    file_systems=st.lists(st.builds(FileSystem, arn=_text, path=_text, direct_read=st.none() | _text), max_size=1).map(
        tuple
    ),
)
_maybe = st.none() | _text


_aliases = st.dictionaries(
    _text,
    st.tuples(_text, _text, _text, st.dictionaries(_text, st.floats(0, 1), max_size=2)),
    max_size=3,
)


def alias_of(name: str, version: str = "1", revision: str = "a-1") -> Alias:
    return Alias(name=name, version=version, revision_id=revision, weights={"2": 0.25})


def versions(key: FunctionKey, number: str = LATEST) -> st.SearchStrategy[Version]:
    return st.builds(
        Version,
        key=st.just(key),
        version=st.just(number),
        configuration=_configurations,
        revision_id=_text,
        serial=st.integers(0, 2**62),
        last_modified=st.integers(0, 2**50),
        state=st.sampled_from(State),
        state_reason=_maybe,
        state_reason_code=_maybe,
        update_status=st.none() | st.sampled_from(UpdateStatus),
        update_status_reason=_maybe,
        update_status_reason_code=_maybe,
        latest_description=_maybe,
    )


@st.composite
def functions(draw: st.DrawFn) -> Function:
    key = FunctionKey(account="000000000000", region="eu-west-1", name="f")
    latest = draw(versions(key))
    numbers = sorted(draw(st.sets(st.integers(1, 2**40), max_size=3)))
    return Function(
        key=key,
        latest=latest,
        serving=draw(st.none() | st.just(latest) | versions(key)),
        versions={str(number): draw(versions(key, str(number))) for number in numbers},
        next_version=draw(st.integers(1, 2**41)),
        aliases={
            name: Alias(name=name, version=version, revision_id=revision, description=description, weights=weights)
            for name, (version, revision, description, weights) in draw(_aliases).items()
        },
        tags=draw(st.none() | st.dictionaries(_text, _text, max_size=3)),
    )
