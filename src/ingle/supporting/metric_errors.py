"""Errors of the CloudWatch API, as its service model names them. Several of one kind are told together, a line each."""

from __future__ import annotations

from ingle.domain.errors import ServiceError


class MetricsError(ServiceError):
    http_status = 400
    type = None


class MetricsInvalidParameter(MetricsError):
    code = "InvalidParameterValueException"


class MetricsInvalidCombination(MetricsError):
    code = "InvalidParameterCombinationException"


class MetricsMissingParameter(MetricsError):
    code = "MissingRequiredParameterException"


class MetricsValidation(MetricsError):
    """What GetMetricData answers."""

    code = "ValidationException"


class MetricsInvalidToken(MetricsError):
    code = "InvalidNextToken"


class MetricsUnavailable(MetricsError):
    code = "InternalServiceFault"
    http_status = 500


def invalid_token() -> MetricsInvalidToken:
    return MetricsInvalidToken("The specified nextToken is invalid.")


def raise_all(problems: list[str], kind: type[MetricsError] = MetricsInvalidParameter) -> None:
    """Raise `kind` if there are problems."""
    if problems:
        raise kind("\n".join(problems))
