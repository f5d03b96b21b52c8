"""Errors of the Resource Groups Tagging API, as its service model names them."""

from __future__ import annotations

from ingle.domain.errors import ServiceError


class TaggingError(ServiceError):
    http_status = 400
    message_member = "Message"
    type = None


class TaggingInvalidParameter(TaggingError):
    code = "InvalidParameterException"


class TaggingTokenExpired(TaggingError):
    code = "PaginationTokenExpiredException"


class TaggingUnavailable(TaggingError):
    code = "InternalServiceException"
    http_status = 500
