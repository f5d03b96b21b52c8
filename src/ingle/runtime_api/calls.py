"""Every call that code inside an environment can make, but the two of each invocation: from a path to an answer.

`runtime_api.http` reads and writes; what a call means is decided by the session, the extensions and the telemetry of
the environment. Called for calls that are rare, so it reads well rather than fast.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingle.runtime_api.extensions import Event, Extensions
from ingle.runtime_api.identity import CREDENTIALS, METADATA, Identity
from ingle.runtime_api.session import Answer, Poll, Refused, Reply, RuntimeSession
from ingle.runtime_api.subscriptions import Api
from ingle.runtime_api.telemetry import Telemetry

RUNTIME = b"/2018-06-01/runtime"
EXTENSION = b"/2020-01-01/extension"
#: Bytes of the JSON document that tells traces why an invocation failed, as on AWS.
_LARGEST_CAUSE = 65_536
ACCEPTED = Answer(status=202, body=b'{"status":"OK"}\n')


@dataclass(slots=True, kw_only=True)
class Interfaces:
    """What belongs to one start of a runtime. A connection keeps those that it was made for.

    `held`: bytes of the large bodies that its connections have on their way.
    """

    runtime: RuntimeSession
    extensions: Extensions
    telemetry: Telemetry
    identity: Identity
    held: int = 0

    def lost(self, poll: Poll) -> None:
        """The connection of `poll` is closed."""
        self.runtime.lost(poll)
        self.extensions.lost(poll)


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. `headers` holds Authorization and those whose names begin with `lambda-`, in lower case."""

    method: bytes
    path: bytes
    poll: Poll
    body: bytes = b""
    headers: Mapping[bytes, str] = field(default_factory=dict)

    def header(self, name: bytes) -> str | None:
        return self.headers.get(name)


def answer(interfaces: Interfaces, call: Call) -> Answer | None:
    """The answer to a call; None if it comes later, through the call's poll. Raises Refused."""
    handle = _CALLS.get((call.method, call.path.rstrip(b"/") or b"/"))
    if handle is None and call.path == METADATA:
        raise Refused(405, "MethodNotAllowed", "The metadata endpoint answers GET only.")
    if handle is None:
        raise Refused(404, "NotFound", "no such call")
    return handle(interfaces, call)


def _init_error(interfaces: Interfaces, call: Call) -> Answer:
    interfaces.runtime.init_error(_fault(call))
    return ACCEPTED


def _restore_next(interfaces: Interfaces, call: Call) -> Answer:
    interfaces.runtime.restore()
    return Answer()


def _restore_error(interfaces: Interfaces, call: Call) -> Answer:
    interfaces.runtime.restore_error(_fault(call))
    return ACCEPTED


def _fault(call: Call) -> Reply:
    kind = call.header(b"lambda-runtime-function-error-type")
    return Reply(body=call.body, failed=True, error_type=kind, cause=cause_of(call.headers))


def cause_of(headers: Mapping[bytes, str]) -> str | None:
    """Why the function failed, for traces. What is no JSON object, or too large, is ignored."""
    cause = headers.get(b"lambda-runtime-function-xray-error-cause")
    if cause is None or len(cause) > _LARGEST_CAUSE:
        return None
    try:
        return cause if isinstance(json.loads(cause), dict) else None
    except (ValueError, RecursionError):
        return None


def _ping(interfaces: Interfaces, call: Call) -> Answer:
    return Answer(body=b"pong", headers=(("Content-Type", "text/plain"),))


def _metadata(interfaces: Interfaces, call: Call) -> Answer:
    return interfaces.identity.metadata(call.header(b"authorization"))


def _credentials(interfaces: Interfaces, call: Call) -> Answer:
    return interfaces.identity.credential_document(call.header(b"authorization"))


def _register(interfaces: Interfaces, call: Call) -> Answer:
    name, features = call.header(b"lambda-extension-name"), call.header(b"lambda-extension-accept-feature")
    return interfaces.extensions.register(name, call.body, features)


def _next_event(interfaces: Interfaces, call: Call) -> None:
    interfaces.extensions.next(_identifier(call), call.poll)


def _extension_error(event: Event) -> Callable[[Interfaces, Call], Answer]:
    def handle(interfaces: Interfaces, call: Call) -> Answer:
        error_type = call.header(b"lambda-extension-function-error-type")
        interfaces.extensions.report_error(_identifier(call), error_type, event)
        return ACCEPTED

    return handle


def _subscribe(api: Api) -> Callable[[Interfaces, Call], Answer]:
    def handle(interfaces: Interfaces, call: Call) -> Answer:
        return interfaces.telemetry.subscribe(api, interfaces.extensions, _identifier(call), call.body)

    return handle


def _identifier(call: Call) -> str | None:
    return call.header(b"lambda-extension-identifier")


_CALLS: Mapping[tuple[bytes, bytes], Callable[[Interfaces, Call], Answer | None]] = {
    (b"POST", RUNTIME + b"/init/error"): _init_error,
    (b"GET", RUNTIME + b"/restore/next"): _restore_next,
    (b"POST", RUNTIME + b"/restore/error"): _restore_error,
    (b"GET", b"/ping"): _ping,
    (b"GET", b"/2018-06-01/ping"): _ping,
    (b"GET", METADATA): _metadata,
    (b"GET", CREDENTIALS): _credentials,
    (b"POST", EXTENSION + b"/register"): _register,
    (b"GET", EXTENSION + b"/event/next"): _next_event,
    (b"POST", EXTENSION + b"/init/error"): _extension_error(Event.INIT_ERROR),
    (b"POST", EXTENSION + b"/exit/error"): _extension_error(Event.EXIT_ERROR),
    (b"PUT", b"/2022-07-01/telemetry"): _subscribe(Api.TELEMETRY),
    (b"PUT", b"/2020-08-15/logs"): _subscribe(Api.LOGS),
}
