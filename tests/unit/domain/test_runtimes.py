"""Which runtimes may be used on which day, and AWS's texts when they may not."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from ingle.domain import runtimes
from ingle.domain.errors import InvalidParameterValue

NOVEMBER_2026 = date(2026, 11, 23)


@pytest.mark.parametrize(
    "identifier",
    ["python3.14", "python3.9", "python3.8", "nodejs16.x", "provided.al2", "java8.al2023", "ruby4.0", "dotnet8"],
)
def test_supported_and_merely_deprecated_runtimes_are_accepted(identifier: str) -> None:
    runtimes.require_creatable(identifier, NOVEMBER_2026)
    runtimes.require_updatable(identifier, NOVEMBER_2026)


@pytest.mark.parametrize("identifier", ["nodejs14.x", "python3.7", "ruby2.7", "java8", "go1.x", "provided"])
def test_runtimes_blocked_for_creation_can_still_be_updated(identifier: str) -> None:
    runtimes.require_updatable(identifier, NOVEMBER_2026)
    with pytest.raises(InvalidParameterValue) as raised:
        runtimes.require_creatable(identifier, NOVEMBER_2026)
    assert raised.value.message == (
        f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )


@pytest.mark.parametrize("identifier", ["dotnetcore3.1", "nodejs12.x", "python3.6", "nodejs", "nodejs4.3-edge"])
def test_old_runtimes_are_blocked_for_everything(identifier: str) -> None:
    for require in (runtimes.require_creatable, runtimes.require_updatable):
        with pytest.raises(InvalidParameterValue, match="no longer supported"):
            require(identifier, NOVEMBER_2026)


def test_a_block_takes_effect_on_its_day() -> None:
    blocked = date(2027, 2, 1)
    runtimes.require_creatable("python3.9", blocked - timedelta(days=1))
    with pytest.raises(InvalidParameterValue):
        runtimes.require_creatable("python3.9", blocked)


@pytest.mark.parametrize("identifier", ["PYTHON3.12", "python3.99", "", "arn:aws:lambda:us-east-1::runtime:x"])
def test_an_unknown_runtime_gets_the_value_set(identifier: str) -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        runtimes.require_creatable(identifier, NOVEMBER_2026)
    assert raised.value.message == (
        f"Value {identifier} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, "
        "python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, "
        "dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2] or be a valid ARN"
    )


def test_every_runtime_of_the_service_model_is_in_the_table() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    modelled = set(session.get_service_model("lambda").shape_for("Runtime").enum)
    assert modelled == set(runtimes.RUNTIMES)


def test_block_dates_follow_deprecation() -> None:
    for runtime in runtimes.RUNTIMES.values():
        days = [runtime.deprecated, runtime.create_blocked, runtime.update_blocked]
        dated = [day for day in days if day is not None]
        assert dated == sorted(dated), runtime.identifier


def test_families() -> None:
    assert runtimes.is_python("python3.13")
    assert not runtimes.is_python("python2.7")
    assert runtimes.python_minor("python3.9") == 9
    assert runtimes.python_minor("nodejs22.x") is None
    assert runtimes.is_provided("provided.al2023")
    assert not runtimes.is_provided("python3.12")


@pytest.mark.parametrize(
    ("identifier", "supported"),
    [
        ("java11", True),
        ("java8.al2", False),
        ("python3.12", True),
        ("python3.11", False),
        ("dotnet8", True),
        ("dotnet6", False),
        ("dotnetcore3.1", False),
        ("nodejs22.x", False),
    ],
)
def test_snap_start_support(identifier: str, supported: bool) -> None:
    assert runtimes.supports_snap_start(identifier) is supported


def test_a_runtime_version_is_stable_and_distinct() -> None:
    arn = runtimes.runtime_version_arn("python3.12", "eu-west-1")
    assert re.fullmatch(r"arn:aws:lambda:eu-west-1::runtime:[0-9a-f]{64}", arn)
    assert arn == runtimes.runtime_version_arn("python3.12", "eu-west-1")
    assert arn != runtimes.runtime_version_arn("python3.13", "eu-west-1")
