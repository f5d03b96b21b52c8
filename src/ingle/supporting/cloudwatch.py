"""The part of the CloudWatch API that metrics need: PutMetricData, ListMetrics, and the way to the two that read.

Owns no data: metrics are in `storage.metrics`. Handlers take what `wire` parsed and answer in the model's member names.
Operations that are not listed in `handlers` are answered by the frontend as not implemented.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.errors import NotImplementedByIngle
from ingle.domain.metrics import Series
from ingle.storage.errors import StorageFull, StorageUnavailable
from ingle.storage.metrics import MINUTE, MINUTES_KEPT, MetricStore, by_start
from ingle.supporting import page_tokens
from ingle.supporting.metric_errors import MetricsUnavailable, invalid_token
from ingle.supporting.metric_input import data
from ingle.supporting.metric_queries import MetricQueries

Answer = dict[str, Any]
Handler = Callable[[Caller, dict[str, Any]], Awaitable[Answer]]

MOST_LISTED = 500
_RECENT = 3 * 3600


class CloudWatch:
    """Errors: those of `metric_errors`."""

    def __init__(self, store: MetricStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._queries = MetricQueries(store)

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        found: dict[str, Handler] = {
            "GetMetricData": self._queries.get_metric_data,
            "GetMetricStatistics": self._queries.get_metric_statistics,
            "ListMetrics": self.list_metrics,
            "PutMetricData": self.put_metric_data,
        }
        return {name: _translating(handler) for name, handler in found.items()}

    async def put_metric_data(self, caller: Caller, params: dict[str, Any]) -> Answer:
        found = data(caller, params, self._clock.now())
        minutes = by_start([(item.series, item.moment, item.aggregate) for item in found], MINUTE)
        seconds = by_start([(item.series, item.moment, item.aggregate) for item in found if item.fine], 1)
        await self._store.put(minutes, seconds)
        return {}

    async def list_metrics(self, caller: Caller, params: dict[str, Any]) -> Answer:
        if params.get("OwningAccount", caller.account) != caller.account:
            raise NotImplementedByIngle("Ingle does not implement ListMetrics with OwningAccount yet.")
        kept = _RECENT if params.get("RecentlyActive") else MINUTES_KEPT
        after = page_tokens.decode(params.get("NextToken"), str, str, list)
        if params.get("NextToken") is not None and after is None:
            raise invalid_token()
        series = await self._store.series(
            caller.account,
            caller.region,
            since=int(self._clock.now()) - kept,
            namespace=params.get("Namespace"),
            name=params.get("MetricName"),
        )
        # Units are no part of a metric's identity.
        matching = dict.fromkeys(_place(item) for item in series if _has(item, params.get("Dimensions") or []))
        ordered = sorted(place for place in matching if after is None or place > _read(after))
        answer: Answer = {"Metrics": [_metric(*place) for place in ordered[:MOST_LISTED]]}
        if params.get("IncludeLinkedAccounts"):
            answer["OwningAccounts"] = [caller.account] * len(answer["Metrics"])
        if len(ordered) > MOST_LISTED:
            answer["NextToken"] = page_tokens.encode(*ordered[MOST_LISTED - 1])
        return answer


Place = tuple[str, str, tuple[tuple[str, str], ...]]


def _place(series: Series) -> Place:
    return series.namespace, series.name, series.dimensions


def _read(key: tuple[Any, ...]) -> Place:
    """The place in a token."""
    try:
        namespace, name, pairs = key
        return namespace, name, tuple((str(first), str(second)) for first, second in pairs)
    except (TypeError, ValueError):
        raise invalid_token() from None


def _has(series: Series, filters: list[dict[str, str]]) -> bool:
    """Whether the metric has every dimension that is asked for, with the value that is asked for if there is one."""
    own = dict(series.dimensions)
    return all(item["Name"] in own and item.get("Value", own[item["Name"]]) == own[item["Name"]] for item in filters)


def _metric(namespace: str, name: str, dimensions: tuple[tuple[str, str], ...]) -> Answer:
    pairs = [{"Name": of, "Value": value} for of, value in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}


def _translating(handler: Handler) -> Handler:
    """The handler with the store's errors told in the API's words."""

    async def handle(caller: Caller, params: dict[str, Any]) -> Answer:
        try:
            return await handler(caller, params)
        except (StorageFull, StorageUnavailable) as problem:
            raise MetricsUnavailable("The service cannot complete the request.") from problem

    return handle
