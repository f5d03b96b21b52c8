"""Errors of IAM and STS, by the names of their service models."""

from __future__ import annotations

from ingle.domain.errors import ServiceError


class IamError(ServiceError):
    http_status = 400
    type = None


class NoSuchEntity(IamError):
    code = "NoSuchEntityException"
    http_status = 404


class EntityAlreadyExists(IamError):
    code = "EntityAlreadyExistsException"
    http_status = 409


class DeleteConflict(IamError):
    code = "DeleteConflictException"
    http_status = 409


class LimitExceeded(IamError):
    code = "LimitExceededException"
    http_status = 409


class MalformedPolicyDocument(IamError):
    code = "MalformedPolicyDocumentException"


class InvalidInput(IamError):
    code = "InvalidInputException"


class PackedPolicyTooLarge(IamError):
    code = "PackedPolicyTooLargeException"


class IamValidation(IamError):
    code = "ValidationError"


class IamAccessDenied(IamError):
    code = "AccessDenied"
    http_status = 403


class IamUnavailable(IamError):
    code = "ServiceFailureException"
    http_status = 500


def missing(kind: str, name: str) -> NoSuchEntity:
    return NoSuchEntity(f"The {kind} with name {name} cannot be found.")
