"""Errors of KMS, as its service model names them. Statuses are the model's: 400, and 500 where KMS is at fault."""

from __future__ import annotations

from ingle.domain.errors import ServiceError
from ingle.domain.kms import KmsKey, alias_arn, key_arn


class KmsError(ServiceError):
    """JSON 1.1 errors carry `message` and no `Type`."""

    code = "KMSInternalException"
    http_status = 400
    type = None


class KmsUnavailable(KmsError):
    code = "KMSInternalException"
    http_status = 500


class KmsAccessDenied(KmsError):
    code = "AccessDeniedException"


class KmsValidation(KmsError):
    code = "ValidationException"


class KmsNotAuthorized(KmsError):
    code = "NotAuthorizedException"


class KeyNotFound(KmsError):
    code = "NotFoundException"


class KeyDisabled(KmsError):
    code = "DisabledException"


class KeyInvalidState(KmsError):
    code = "KMSInvalidStateException"


class InvalidKeyArn(KmsError):
    code = "InvalidArnException"


class InvalidKeyUsage(KmsError):
    code = "InvalidKeyUsageException"


class InvalidCiphertext(KmsError):
    """AWS tells nothing beyond the code."""

    code = "InvalidCiphertextException"

    def __init__(self) -> None:
        super().__init__(None)


class IncorrectKey(KmsError):
    code = "IncorrectKeyException"


class AliasExists(KmsError):
    code = "AlreadyExistsException"


class InvalidAliasName(KmsError):
    code = "InvalidAliasNameException"


class InvalidMarker(KmsError):
    code = "InvalidMarkerException"


class InvalidGrantId(KmsError):
    code = "InvalidGrantIdException"


class InvalidGrantToken(KmsError):
    code = "InvalidGrantTokenException"


class KmsLimitExceeded(KmsError):
    code = "LimitExceededException"


class MalformedPolicy(KmsError):
    code = "MalformedPolicyDocumentException"


class InvalidTag(KmsError):
    code = "TagException"


class KmsUnsupported(KmsError):
    code = "UnsupportedOperationException"


class DryRunSucceeded(KmsError):
    """A request that only asks whether it would succeed is answered with an error when it would."""

    code = "DryRunOperationException"

    def __init__(self) -> None:
        super().__init__("The request would have succeeded, but the DryRun option is set.")


def no_key(account: str, region: str, key_id: str) -> KeyNotFound:
    return KeyNotFound(f"Key '{key_arn(account, region, key_id)}' does not exist")


def no_alias(account: str, region: str, name: str) -> KeyNotFound:
    return KeyNotFound(f"Alias {alias_arn(account, region, name)} is not found.")


def disabled(key: KmsKey) -> KeyDisabled:
    return KeyDisabled(f"{key.arn} is disabled.")


def pending_deletion(key: KmsKey) -> KeyInvalidState:
    return KeyInvalidState(f"{key.arn} is pending deletion.")


def unknown_origin() -> KmsAccessDenied:
    """A ciphertext of a key that the caller cannot be told of."""
    return KmsAccessDenied(
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you "
        "are not allowed to access."
    )
