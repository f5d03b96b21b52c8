"""One tree of errors that callers of the AWS APIs can receive.

    ServiceError                       anything the caller is told about, with its AWS error code
    ├── ValidationError                a member breaks a constraint (also raised by `wire`, from the model)
    ├── InvalidParameterValue
    │   └── ConcurrencyUnavailable     the same code, without a `Type`
    ├── InvalidRequestContent
    ├── ResourceNotFound
    │   └── CodeSigningConfigMissing   the same, of a configuration that is addressed itself
    ├── ProvisionedConcurrencyNotFound
    ├── CodeSigningConfigNotFound      a function is to be bound to a configuration that is not there
    ├── InvalidCodeSignature           code that was changed since it was signed
    ├── CodeVerificationFailed         code that a code signing configuration does not let in
    ├── ResourceConflict
    ├── PreconditionFailed
    ├── SnapStartFailed                a hook of the function's own failed after a restore
    ├── SnapStartTimeout               a restore took too long
    ├── TooManyRequests
    ├── AccessDenied
    ├── RequestEntityTooLarge
    ├── UnsupportedMediaType
    ├── CodeStorageExceeded
    ├── PolicyLengthExceeded
    ├── NotImplementedByIngle          an operation that the model knows and Ingle does not do yet
    ├── VariablesUnreadable            a function cannot start, since its environment variables cannot be decrypted
    │   ├── VariablesKeyDisabled
    │   ├── VariablesKeyInvalidState   their key is to be deleted
    │   ├── VariablesKeyNotFound
    │   └── VariablesKeyAccessDenied
    ├── CompanionUnavailable           a service that Ingle does not have itself does not answer
    └── InternalFailure                ours: the cause is in the server's log, never in the answer

The HTTP status belongs to the service model; `http_status` here covers only codes that no model names.
A function's own failure is a result (`domain.invocation.FunctionError`), never an exception.
Source of member names (`message` or `Message`, `Type`): the answers that AWS gives, see `tests/api`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ServiceError(Exception):
    """An error with an AWS code. `message` may be None, where AWS answers a null message."""

    code: str = "ServiceException"
    #: Status for codes that the service model does not contain.
    http_status: int = 500
    #: Name of the member that carries the text: AWS uses both spellings, by exception.
    message_member: ClassVar[str] = "message"
    #: Value of the `Type` member; None where AWS sends none.
    type: ClassVar[str | None] = "User"

    def __init__(self, message: str | None, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        #: Further members of the modelled exception, by their names in the model.
        self.members = members


class ValidationError(ServiceError):
    code = "ValidationException"
    http_status = 400
    type = None


class InvalidParameterValue(ServiceError):
    code = "InvalidParameterValueException"
    http_status = 400


class ConcurrencyUnavailable(InvalidParameterValue):
    """An account's or function's concurrency does not suffice for what is asked for."""

    type = None


class ProvisionedConcurrencyNotFound(ServiceError):
    code = "ProvisionedConcurrencyConfigNotFoundException"
    http_status = 404


class InvalidRequestContent(ServiceError):
    code = "InvalidRequestContentException"
    http_status = 400


class RecursiveInvocation(ServiceError):
    code = "RecursiveInvocationException"
    http_status = 400
    message_member = "Message"


class ResourceNotFound(ServiceError):
    code = "ResourceNotFoundException"
    http_status = 404
    message_member = "Message"


class CodeSigningConfigMissing(ResourceNotFound):
    type = None


class CodeSigningConfigNotFound(ServiceError):
    code = "CodeSigningConfigNotFoundException"
    http_status = 404
    message_member = "Message"


class InvalidCodeSignature(ServiceError):
    code = "InvalidCodeSignatureException"
    http_status = 400
    message_member = "Message"


class CodeVerificationFailed(ServiceError):
    code = "CodeVerificationFailedException"
    http_status = 400
    message_member = "Message"


class ResourceConflict(ServiceError):
    code = "ResourceConflictException"
    http_status = 409


class PreconditionFailed(ServiceError):
    code = "PreconditionFailedException"
    http_status = 412


class TooManyRequests(ServiceError):
    """429. Pass `Reason` (a ThrottleReason of the model) as a member."""

    code = "TooManyRequestsException"
    http_status = 429


class SnapStartFailed(ServiceError):
    code = "SnapStartException"
    http_status = 400
    message_member = "Message"


class SnapStartTimeout(ServiceError):
    code = "SnapStartTimeoutException"
    http_status = 408
    message_member = "Message"


class FileSystemUnreachable(ServiceError):
    code = "EFSMountConnectivityException"
    http_status = 408
    message_member = "Message"


class S3FilesUnreachable(FileSystemUnreachable):
    code = "S3FilesMountConnectivityException"


class FileSystemTimeout(FileSystemUnreachable):
    code = "EFSMountTimeoutException"


class S3FilesTimeout(FileSystemUnreachable):
    code = "S3FilesMountTimeoutException"


class FileSystemMountFailed(FileSystemUnreachable):
    code = "EFSMountFailureException"
    http_status = 403


class S3FilesMountFailed(FileSystemMountFailed):
    code = "S3FilesMountFailureException"


class InterfaceNotReady(ServiceError):
    """A function with VpcConfig has no network to run in."""

    code = "ENINotReadyException"
    http_status = 502
    message_member = "Message"


class AccessDenied(ServiceError):
    code = "AccessDeniedException"
    http_status = 403
    message_member = "Message"
    type = None


class RequestEntityTooLarge(ServiceError):
    code = "RequestEntityTooLargeException"
    http_status = 413
    type = None


class UnsupportedMediaType(ServiceError):
    code = "UnsupportedMediaTypeException"
    http_status = 415


class CodeStorageExceeded(ServiceError):
    code = "CodeStorageExceededException"
    http_status = 400


class PolicyLengthExceeded(ServiceError):
    code = "PolicyLengthExceededException"
    http_status = 400


class NotImplementedByIngle(ServiceError):
    code = "NotImplementedException"
    http_status = 501
    type = "Service"


class VariablesUnreadable(ServiceError):
    """`state_code` is what states of functions call it: a StateReasonCode of the model."""

    http_status = 502
    message_member = "Message"
    type = None
    state_code: ClassVar[str] = "InternalError"


class VariablesKeyDisabled(VariablesUnreadable):
    code = "KMSDisabledException"
    state_code = "DisabledKMSKey"


class VariablesKeyInvalidState(VariablesUnreadable):
    code = "KMSInvalidStateException"
    state_code = "InvalidStateKMSKey"


class VariablesKeyNotFound(VariablesUnreadable):
    code = "KMSNotFoundException"
    state_code = "KMSKeyNotFound"


class VariablesKeyAccessDenied(VariablesUnreadable):
    code = "KMSAccessDeniedException"
    state_code = "KMSKeyAccessDenied"


class CompanionUnavailable(ServiceError):
    code = "ServiceException"
    http_status = 500
    message_member = "Message"
    type = "Service"


class InternalFailure(ServiceError):
    code = "ServiceException"
    http_status = 500
    message_member = "Message"
    type = "Service"
