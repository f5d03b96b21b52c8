"""File systems of functions: mounted in a new sandbox before anything of the function's runs there.

Texts are those that the service model has for the errors. Used by `worker.host`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container

from ingle.domain.attached import FileSystem
from ingle.domain.errors import (
    FileSystemMountFailed,
    FileSystemTimeout,
    FileSystemUnreachable,
    S3FilesMountFailed,
    S3FilesTimeout,
    S3FilesUnreachable,
)
from ingle.domain.function import Version
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient

#: How long a directory may take to answer, in seconds.
_LONGEST = 10.0


def require_known(version: Version, shares: Container[str]) -> None:
    """Raise FileSystemUnreachable for a file system that nothing stands in for any more."""
    for system in version.configuration.file_systems:
        if system.arn not in shares:
            kind = S3FilesUnreachable if system.is_s3 else FileSystemUnreachable
            raise kind(f"The function couldn't make a network connection to the configured file system {system.arn}.")


async def mount(sandboxes: SupervisorClient, sandbox: Sandbox, version: Version) -> None:
    """Mount what a version has in a sandbox that was just made. Raises FileSystemUnreachable, and destroys it then."""
    systems = version.configuration.file_systems
    if not systems:
        return
    try:
        await asyncio.wait_for(sandboxes.mount(sandbox, [(system.arn, system.path) for system in systems]), _LONGEST)
    except TimeoutError:
        sandboxes.destroy(sandbox)
        raise _timed_out(systems[0]) from None
    except SandboxError as error:
        sandboxes.destroy(sandbox)
        raise _failed(systems[0], str(error)) from error
    except BaseException:
        sandboxes.destroy(sandbox)
        raise


def _timed_out(system: FileSystem) -> FileSystemUnreachable:
    kind = S3FilesTimeout if system.is_s3 else FileSystemTimeout
    return kind(
        f"The function made a network connection to the configured file system {system.arn}, but the mount operation "
        "timed out."
    )


def _failed(system: FileSystem, reason: str) -> FileSystemUnreachable:
    kind = S3FilesMountFailed if system.is_s3 else FileSystemMountFailed
    return kind(
        f"The function couldn't mount the configured file system {system.arn} due to a permission or configuration "
        f"issue: {reason}"
    )
