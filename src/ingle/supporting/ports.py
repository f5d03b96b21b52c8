"""What a handler of an operation is, for the services of this package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ingle.domain.caller import Caller

Handler = Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]
