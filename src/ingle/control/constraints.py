"""Constraints that the service model does not carry, in the wording of those that it does.

The model's own are checked before a handler is called; these depend on other members or are narrower than the model.
"""

from __future__ import annotations

from ingle.domain.errors import ValidationError


def at_most(value: int, path: str, maximum: int) -> str | None:
    """The violation of an upper bound, or None."""
    if value <= maximum:
        return None
    return violation(str(value), path, f"Member must have value less than or equal to {maximum}")


def violation(value: str, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def detected(violations: list[str]) -> str:
    """The text that lists violations."""
    noun = "error" if len(violations) == 1 else "errors"
    return f"{len(violations)} validation {noun} detected: {'; '.join(violations)}"


def require(*checks: str | None) -> None:
    """Raise one ValidationError that names every violation among `checks`."""
    violations = [check for check in checks if check is not None]
    if violations:
        raise ValidationError(detected(violations))
