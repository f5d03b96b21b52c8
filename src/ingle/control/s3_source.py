"""Packages that requests name in S3: reading them from the companion, and AWS's words for what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.companions.errors import Refused, TooLarge, Unreachable
from ingle.control.ports import Objects
from ingle.domain.caller import Caller
from ingle.domain.errors import (
    AccessDenied,
    CompanionUnavailable,
    InvalidParameterValue,
    NotImplementedByIngle,
    ServiceError,
)
from ingle.observability.log import Logger

_log = Logger("control")


async def fetch(objects: Objects | None, caller: Caller, operation: str, code: Mapping[str, Any], limit: int) -> bytes:
    """The object that `code` names: no zip of more than `limit` bytes can be a good package.

    Raises NotImplementedByIngle without a companion, else AccessDenied, InvalidParameterValue, CompanionUnavailable.
    """
    if objects is None:
        raise NotImplementedByIngle(
            f"Ingle has no S3 of its own: {operation} with S3Bucket needs one to read from. Start `ingle serve` with "
            "--aws-endpoint URL, or set INGLE_AWS_ENDPOINT."
        )
    bucket, key, version = code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion")
    try:
        return await objects.get_object(bucket, key, version, region=caller.region, limit=limit)
    except Refused as error:
        raise _refusal(error, bucket, key) from error
    except TooLarge as error:
        raise InvalidParameterValue(f"Unzipped size must be smaller than {limit} bytes") from error
    except Unreachable as error:
        _log.error("a package cannot be read from S3", bucket=bucket, key=key, reason=str(error))
        raise CompanionUnavailable(f"Error occurred while GetObject. {error}.") from error


def _refusal(error: Refused, bucket: str, key: str) -> ServiceError:
    told = f"S3 Error Code: {error.code}. S3 Error Message: {error.message}"
    if error.status == 403:
        return AccessDenied(
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject "
            f"for {bucket}/{key}. {told}"
        )
    return InvalidParameterValue(f"Error occurred while GetObject. {told}")
