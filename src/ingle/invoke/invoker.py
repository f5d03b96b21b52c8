"""The data plane: an invocation from its caller to an execution environment and back, or into the queue.

Reads memory only. `Invoker.invoke` is a handler like those of the control plane; the frontend has checked the payload.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import random
from typing import Any

from ingle.catalog import Catalog
from ingle.domain import recursion
from ingle.domain.caller import Caller
from ingle.domain.errors import (
    InternalFailure,
    InvalidParameterValue,
    InvalidRequestContent,
    NotImplementedByIngle,
    RecursiveInvocation,
    TooManyRequests,
)
from ingle.domain.event import Event, Response
from ingle.domain.function import LATEST, Version
from ingle.domain.invocation import Invocation, InvocationResult, InvocationType, ResponseSink
from ingle.domain.recursion import Recursion
from ingle.domain.tracing import ACTIVE, header_of
from ingle.invoke.admission import Admission
from ingle.invoke.meters import Meters
from ingle.invoke.qualifier import resolve
from ingle.invoke.tracing import Tracing
from ingle.placement.placement import Placement
from ingle.worker.client import EnvironmentLost

#: An environment may end between being chosen and being used; then another one is taken, this many times.
_ATTEMPTS = 3
#: Characters of X-Amz-Client-Context, as on AWS.
_CLIENT_CONTEXT = 3583
_NOT_YET = frozenset({"DurableExecutionName"})


#: Take an event over; returns once it is durable.
Accept = Callable[[Event], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Prepared:
    """What a request to invoke means: everything is checked but whether the function may run now.

    Not frozen: it is made for each invocation.
    """

    version: Version
    arn: str
    caller: Caller
    payload: bytes
    kind: str = InvocationType.REQUEST_RESPONSE
    client_context: str | None = None
    tail: bool = False
    tenant_id: str | None = None


class Invoker:
    """`draw` gives the numbers from [0, 1) by which an alias chooses between its versions."""

    def __init__(
        self, catalog: Catalog, admission: Admission, placement: Placement, meters: Meters, tracing: Tracing,
        accept: Accept, draw: Callable[[], float] = random,
    ) -> None:  # fmt: skip
        self._meters = meters
        self._tracing = tracing
        self._catalog = catalog
        self._admission = admission
        self._placement = placement
        self._accept = accept
        self._draw = draw

    def handlers(self) -> dict[str, Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]]:
        return {"Invoke": self.invoke, "InvokeAsync": self.invoke_async}

    def prepare(self, caller: Caller, params: dict[str, Any]) -> Prepared:
        """Raises what the request is refused with."""
        version, arn = resolve(self._catalog, caller, params["FunctionName"], params.get("Qualifier"), self._draw)
        kind = params.get("InvocationType", InvocationType.REQUEST_RESPONSE)
        if not _NOT_YET.isdisjoint(params):
            raise NotImplementedByIngle(f"Ingle does not implement Invoke with {min(_NOT_YET & params.keys())} yet.")
        # A dry run checks no more than whether the function is there.
        context = None if kind == InvocationType.DRY_RUN else _client_context(params.get("ClientContext"))
        return Prepared(
            version=version, arn=arn, caller=caller, payload=params["Payload"], kind=kind, client_context=context,
            tail=params.get("LogType") == "Tail", tenant_id=_tenant(version, params.get("TenantId")),
        )  # fmt: skip

    async def invoke(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        prepared = self.prepare(caller, params)
        if prepared.kind == InvocationType.DRY_RUN:
            return {"StatusCode": 204}
        if prepared.kind == InvocationType.EVENT:
            # Its client context is checked like any other, and never delivered, as on AWS.
            await self._queue(prepared)
            return {"StatusCode": 202}
        result = await self.execute(prepared)
        answer: dict[str, Any] = {
            "StatusCode": 200, "Payload": result.payload, "ExecutedVersion": result.executed_version,
        }  # fmt: skip
        if result.error is not None:
            answer["FunctionError"] = result.error
        if result.log_tail is not None:
            answer["LogResult"] = base64.b64encode(result.log_tail).decode()
        return answer

    async def invoke_async(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        """The operation from before InvocationType, which AWS still has."""
        version, arn = resolve(self._catalog, caller, params["FunctionName"], None, self._draw)
        await self._queue(
            Prepared(
                version=version, arn=arn, caller=caller, payload=params["InvokeArgs"], tenant_id=_tenant(version, None)
            )
        )  # fmt: skip
        return {"Status": 202}

    async def _queue(self, prepared: Prepared) -> None:
        """Returns once the event is durable."""
        caller, parts = prepared.caller, prepared.arn.split(":", 7)
        await self._accept(
            Event(
                id=caller.request_id,
                key=prepared.version.key,
                qualifier=parts[7] if len(parts) > 7 else None,
                arn=prepared.arn,
                payload=prepared.payload,
                accepted=int(time.time() * 1000),
                trace_header=caller.trace_header,
                tenant_id=prepared.tenant_id,
            )
        )

    async def run(self, event: Event) -> Response:
        """One attempt at an event that was accepted: its version is the one that its qualifier means now.

        Raises what `invoke` raises.
        """
        key = event.key
        caller = Caller(
            account=key.account, region=key.region, request_id=event.id, trace_header=event.trace_header
        )  # fmt: skip
        version, arn = resolve(self._catalog, caller, key.name, event.qualifier, self._draw)
        tenant_id = _tenant(version, event.tenant_id)
        result = await self.execute(
            Prepared(version=version, arn=arn, caller=caller, payload=event.payload, tenant_id=tenant_id)
        )
        return Response(version=result.executed_version, payload=result.payload, error=result.error)

    async def execute(self, prepared: Prepared, sink: ResponseSink | None = None) -> InvocationResult:
        """`sink` takes the response while it is produced. Raises what the invocation is refused with."""
        version, arn, caller = prepared.version, prepared.arn, prepared.caller
        self._require_no_loop(version, caller.trace_header)
        trace = None
        if version.configuration.tracing_mode == ACTIVE:
            trace_id, trace = self._tracing.begin(version, caller.trace_header)
        else:
            trace_id = header_of(caller.trace_header, caller.request_id, time.time())
        invocation = Invocation(
            request_id=caller.request_id,
            payload=prepared.payload,
            invoked_arn=arn,
            client_context=prepared.client_context,
            trace_id=recursion.onward(trace_id, version.key),
            trace=trace,
            tail=prepared.tail,
            tenant_id=prepared.tenant_id,
            sink=sink,
        )
        began = time.time()
        meter = self._meters.of(version, arn)
        status = 500
        try:
            with self._admission.admit(version), meter:
                result = await self._run(version, invocation)
            status = 200
        except TooManyRequests:
            meter.throttled(began)
            status = 429
            raise
        finally:
            if trace is not None:
                self._tracing.end(version, invocation, began, status)
        meter.completed(began, result)
        return result

    def _require_no_loop(self, version: Version, trace_header: str | None) -> None:
        """Raise RecursiveInvocation where the function has invoked itself too often, and is not allowed to."""
        if recursion.passes(trace_header, version.key) < recursion.LIMIT:
            return
        function = self._catalog.get(version.key)
        setting = None if function is None else function.attachments.get(Recursion, LATEST)
        if (setting or Recursion()).loop == recursion.TERMINATE:
            self._meters.record(version.key, "RecursiveInvocationsDropped", 1, "Count")
            raise RecursiveInvocation(
                "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
                "resources and stopped your function's invocation."
            )

    async def _run(self, version: Version, invocation: Invocation) -> InvocationResult:
        for _ in range(_ATTEMPTS):
            environment = await self._placement.acquire(version, invocation.tenant_id)
            try:
                return await environment.run(invocation)
            except EnvironmentLost:
                continue
            finally:
                self._placement.release(environment)
        raise InternalFailure("The execution environment ended before the function was started.")


def _tenant(version: Version, given: str | None) -> str | None:
    """The tenant of an invocation. Raises InvalidParameterValue where there has to be one, or must not be one."""
    if (version.configuration.tenant_isolation is None) == (given is None):
        return given
    if given is None:
        raise InvalidParameterValue(
            "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try "
            "again."
        )
    raise InvalidParameterValue(
        "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and "
        "try again."
    )


def _client_context(encoded: str | None) -> str | None:
    """The JSON object of X-Amz-Client-Context as one line of text. Raises InvalidRequestContent."""
    if not encoded:
        return None
    try:
        context = json.loads(base64.b64decode(encoded, validate=True)) if len(encoded) <= _CLIENT_CONTEXT else None
    except (binascii.Error, ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.")
    return json.dumps(context, ensure_ascii=False)
