"""Errors of Ingle's own service, as its model names them."""

from __future__ import annotations

from ingle.domain.errors import ServiceError


class OwnError(ServiceError):
    http_status = 400
    type = None


class OwnInvalidParameter(OwnError):
    code = "InvalidParameterValueException"


class OwnLimitExceeded(OwnError):
    code = "LimitExceededException"


class OwnNotFound(OwnError):
    code = "ResourceNotFoundException"
