"""Why a request is not believed, in AWS's words. Names are those of JSON; `wire` has those of the query protocol."""

from __future__ import annotations

from ingle.domain.errors import ServiceError


class AuthenticationError(ServiceError):
    """The caller is not who the request claims, or claims nothing."""

    http_status = 403
    type = None


class MissingAuthenticationToken(AuthenticationError):
    code = "MissingAuthenticationTokenException"


class IncompleteSignature(AuthenticationError):
    code = "IncompleteSignatureException"


class UnrecognizedClient(AuthenticationError):
    code = "UnrecognizedClientException"


class InvalidSignature(AuthenticationError):
    code = "InvalidSignatureException"


class ExpiredToken(AuthenticationError):
    code = "ExpiredTokenException"


def missing_token() -> MissingAuthenticationToken:
    return MissingAuthenticationToken("Missing Authentication Token")


def unrecognized() -> UnrecognizedClient:
    """For unknown, deleted and deactivated keys and for tokens that are none: which it was is not told."""
    return UnrecognizedClient("The security token included in the request is invalid.")


def expired_token() -> ExpiredToken:
    return ExpiredToken("The security token included in the request is expired")


def wrong_signature() -> InvalidSignature:
    return InvalidSignature(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
