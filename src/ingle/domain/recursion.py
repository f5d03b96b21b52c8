"""What happens to a function that invokes itself through other services, again and again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

TERMINATE = "Terminate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recursion:
    loop: str = TERMINATE  # Terminate | Allow
