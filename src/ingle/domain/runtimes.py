"""The runtime identifiers, and until when functions may be created or updated with each.

Pure. `control` asks it whether a runtime may be used on a day; `placement` and `worker` ask which family it is of.
Whether an interpreter for it is on this machine is not known here. Source of the dates: AWS's runtime policy table.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from ingle.domain.arn import partition_of
from ingle.domain.errors import InvalidParameterValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One identifier. On a block date and after it, creating or updating is refused; None: no date is set.

    Between `deprecated` and the block dates the API still accepts it. Invocations are never blocked.
    """

    identifier: str
    deprecated: date | None = None
    create_blocked: date | None = None
    update_blocked: date | None = None

    def creatable(self, day: date) -> bool:
        return self.create_blocked is None or day < self.create_blocked

    def updatable(self, day: date) -> bool:
        return self.update_blocked is None or day < self.update_blocked


#: Blocked since before this table begins.
_LONG_AGO = date(2023, 1, 1)
#: The block dates that AWS moved for everything that was deprecated by 2026.
_CREATE_2027, _UPDATE_2027 = date(2027, 2, 1), date(2027, 3, 3)


def _until(deprecated: str, create_blocked: str, update_blocked: str, *identifiers: str) -> list[Runtime]:
    days = [date.fromisoformat(text) for text in (deprecated, create_blocked, update_blocked)]
    return [
        Runtime(identifier=name, deprecated=days[0], create_blocked=days[1], update_blocked=days[2])
        for name in identifiers
    ]


def _deprecated(day: str, *identifiers: str) -> list[Runtime]:
    return _until(day, _CREATE_2027.isoformat(), _UPDATE_2027.isoformat(), *identifiers)


_TABLE: tuple[Runtime, ...] = (
    *_until("2028-04-30", "2028-06-01", "2028-07-01", "nodejs24.x"),
    *_until("2027-04-30", "2027-06-01", "2027-07-01", "nodejs22.x"),
    *_until("2029-06-30", "2029-07-31", "2029-08-31", "python3.14", "python3.13"),
    *_until("2028-10-31", "2028-11-30", "2029-01-10", "python3.12"),
    *_until("2027-06-30", "2027-07-31", "2027-08-31", "python3.11", "java17", "java11", "java8.al2"),
    *_until("2029-06-30", "2029-07-31", "2029-08-31", "java25", "java21", "provided.al2023"),
    *_until("2028-11-14", "2028-12-14", "2029-01-15", "dotnet10"),
    *_until("2029-03-31", "2029-04-30", "2029-05-31", "ruby4.0"),
    *_until("2028-03-31", "2028-04-30", "2028-05-31", "ruby3.4"),
    *_until("2027-03-31", "2027-04-30", "2027-05-31", "ruby3.3"),
    *[Runtime(identifier=name) for name in ("java17.al2023", "java11.al2023", "java8.al2023")],
    *[Runtime(identifier=name) for name in ("nodejs26.x", "python3.15", "custom")],
    *_deprecated("2026-11-10", "dotnet8"),
    *_deprecated("2026-10-31", "python3.10"),
    *_deprecated("2026-07-31", "provided.al2"),
    *_deprecated("2026-04-30", "nodejs20.x"),
    *_deprecated("2026-03-31", "ruby3.2"),
    *_deprecated("2025-12-15", "python3.9"),
    *_deprecated("2025-09-01", "nodejs18.x"),
    *_deprecated("2024-12-20", "dotnet6"),
    *_deprecated("2024-10-14", "python3.8"),
    *_deprecated("2024-06-12", "nodejs16.x"),
    *_until("2023-12-04", "2024-01-09", _UPDATE_2027.isoformat(), "nodejs14.x", "python3.7", "ruby2.7"),
    *_until("2024-01-08", "2024-02-08", _UPDATE_2027.isoformat(), "java8", "go1.x", "provided"),
    *[
        Runtime(identifier=name, deprecated=_LONG_AGO, create_blocked=_LONG_AGO, update_blocked=_LONG_AGO)
        for name in (
            *("dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0"),
            *("nodejs12.x", "nodejs10.x", "nodejs8.10", "nodejs6.10", "nodejs4.3", "nodejs4.3-edge", "nodejs"),
            *("python3.6", "python2.7", "ruby2.5"),
        )
    ],
)

RUNTIMES: dict[str, Runtime] = {runtime.identifier: runtime for runtime in _TABLE}

#: The set in the order in which AWS prints it.
_PRINTED = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
    "java11, dotnet6, nodejs18.x, provided.al2, java8.al2"
)
ENUM_CONSTRAINT = f"Member must satisfy enum value set: [{_PRINTED}]"

_PYTHON = re.compile(r"python3\.(\d+)", re.ASCII)


def require_creatable(identifier: str, day: date) -> None:
    """Raise InvalidParameterValue unless a function may get this runtime on `day`, by creation or by change to it."""
    if not _known(identifier).creatable(day):
        raise _no_longer_supported(identifier)


def require_updatable(identifier: str, day: date) -> None:
    """Raise InvalidParameterValue unless a function that has this runtime, and keeps it, may be updated on `day`."""
    if not _known(identifier).updatable(day):
        raise _no_longer_supported(identifier)


def is_python(identifier: str) -> bool:
    return _PYTHON.fullmatch(identifier) is not None


def python_minor(identifier: str) -> int | None:
    """12 for `python3.12`; None for what is not a Python 3 runtime."""
    match = _PYTHON.fullmatch(identifier)
    return None if match is None else int(match[1])


def is_provided(identifier: str) -> bool:
    """An OS-only runtime, whose package brings its own `bootstrap`."""
    return identifier == "provided" or identifier.startswith("provided.")


def supports_snap_start(identifier: str) -> bool:
    """SnapStart is for Java from 11, Python from 3.12 and .NET from 8."""
    minor = python_minor(identifier)
    if minor is not None:
        return minor >= 12
    if identifier.startswith("java"):
        return not identifier.startswith("java8")
    return identifier.startswith("dotnet") and not identifier.startswith(("dotnetcore", "dotnet6"))


@cache
def _version_hash(identifier: str) -> str:
    return hashlib.sha256(f"runtime {identifier}".encode()).hexdigest()


def runtime_version_arn(identifier: str, region: str) -> str:
    """The ARN of the runtime version in use: 64 hexadecimal digits, always the same for one identifier."""
    return f"arn:{partition_of(region)}:lambda:{region}::runtime:{_version_hash(identifier)}"


def _known(identifier: str) -> Runtime:
    runtime = RUNTIMES.get(identifier)
    if runtime is None:
        raise InvalidParameterValue(
            f"Value {identifier} at 'runtime' failed to satisfy constraint: {ENUM_CONSTRAINT} or be a valid ARN"
        )
    return runtime


def _no_longer_supported(identifier: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )
