"""Errors of the CloudWatch Logs API, as its service model names them."""

from __future__ import annotations

from ingle.domain.errors import ServiceError


class LogsError(ServiceError):
    """JSON 1.1 errors carry `message` and no `Type`."""

    http_status = 400
    type = None


class LogsInvalidParameter(LogsError):
    code = "InvalidParameterException"


class LogsResourceNotFound(LogsError):
    code = "ResourceNotFoundException"


class LogsResourceAlreadyExists(LogsError):
    code = "ResourceAlreadyExistsException"


class LogsTooManyTags(LogsError):
    code = "TooManyTagsException"


class LogsUnavailable(LogsError):
    code = "ServiceUnavailableException"
    http_status = 500


def no_group() -> LogsResourceNotFound:
    return LogsResourceNotFound("The specified log group does not exist.")


def no_stream() -> LogsResourceNotFound:
    return LogsResourceNotFound("The specified log stream does not exist.")
