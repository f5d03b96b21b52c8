"""The Resource Groups Tagging API: finding resources by their tags, and tagging several of them at once.

Owns no data: it searches `catalog.tags`, and tags through the service that a resource belongs to. Pages are by ARN, key
or value, so they stay right while tags come and go. Source of the rules: the documentation in the service model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from ingle.catalog.tags import TagFilter, TagIndex, TagSet
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.errors import NotImplementedByIngle, ServiceError
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError
from ingle.supporting import page_tokens
from ingle.supporting.tagging_errors import TaggingInvalidParameter, TaggingTokenExpired, TaggingUnavailable
from ingle.supporting.tagging_input import check_filters, check_get_resources, check_tags

Answer = dict[str, Any]
Handler = Callable[[Caller, dict[str, Any]], Awaitable[Answer]]

RESOURCES_PER_PAGE = 100
TEXTS_PER_PAGE = 1000
#: Seconds; documented.
TOKENS_LAST = 15 * 60

_log = Logger("tagging")


class ResourceTags(Protocol):
    """The operations on tags that a service has itself, by its own members. Raise ServiceError and StorageError."""

    async def tag_resource(self, caller: Caller, params: Answer) -> Answer: ...

    async def untag_resource(self, caller: Caller, params: Answer) -> Answer: ...


class Tagging:
    """`services`: who tags the resources of each service, by its name in ARNs."""

    def __init__(self, index: TagIndex, services: Mapping[str, ResourceTags], clock: Clock) -> None:
        self._index = index
        self._services = services
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "GetResources": self.get_resources,
            "GetTagKeys": self.get_tag_keys,
            "GetTagValues": self.get_tag_values,
            "TagResources": self.tag_resources,
            "UntagResources": self.untag_resources,
        }

    async def get_resources(self, caller: Caller, params: Answer) -> Answer:
        check_get_resources(params)
        if params.get("IncludeComplianceDetails"):
            raise NotImplementedByIngle("Ingle does not implement GetResources with IncludeComplianceDetails yet.")
        if "ResourceARNList" in params:
            return _resources(self._named(caller, params["ResourceARNList"]), None)
        filters = [
            TagFilter(key=item["Key"], values=frozenset(item.get("Values", ())))
            for item in check_filters(params.get("TagFilters", ()))
        ]
        found = self._index.find(caller.account, caller.region, filters, self._start(params, "resources"))
        page, complete = _page(_of_types(found, params.get("ResourceTypeFilters", ())), params)
        return _resources(page, None if complete else self._token("resources", page[-1][0]))

    async def get_tag_keys(self, caller: Caller, params: Answer) -> Answer:
        after = self._start(params, "keys")
        found = self._index.keys(caller.account, caller.region, after, TEXTS_PER_PAGE + 1)
        return self._texts("TagKeys", found, "keys")

    async def get_tag_values(self, caller: Caller, params: Answer) -> Answer:
        after = self._start(params, "values")
        found = self._index.values(caller.account, caller.region, params["Key"], after, TEXTS_PER_PAGE + 1)
        return self._texts("TagValues", found, "values")

    async def tag_resources(self, caller: Caller, params: Answer) -> Answer:
        tags = params["Tags"]
        check_tags(tags)
        return await self._each(
            params["ResourceARNList"],
            lambda service, arn: service.tag_resource(caller, {"Resource": arn, "Tags": tags}),
        )

    async def untag_resources(self, caller: Caller, params: Answer) -> Answer:
        keys = params["TagKeys"]
        check_tags(dict.fromkeys(keys, ""))
        return await self._each(
            params["ResourceARNList"],
            lambda service, arn: service.untag_resource(caller, {"Resource": arn, "TagKeys": keys}),
        )

    def _named(self, caller: Caller, arns: Iterable[str]) -> list[tuple[str, TagSet]]:
        """Those of `arns` that a search finds; the others are left out."""
        found = ((arn, self._index.get(caller.account, caller.region, arn)) for arn in dict.fromkeys(arns))
        return [(arn, tags) for arn, tags in found if tags is not None]

    async def _each(self, arns: Iterable[str], change: Callable[[ResourceTags, str], Awaitable[Answer]]) -> Answer:
        """What fails for one resource is told, and stops nothing."""
        failed: Answer = {}
        for arn in dict.fromkeys(arns):
            try:
                await change(self._service_of(arn), arn)
            except ServiceError as error:
                failed[arn] = _failure(error)
            except StorageError as error:
                _log.error("a resource cannot be tagged", resource=arn, reason=str(error))
                failed[arn] = _failure(TaggingUnavailable("The service encountered an internal error."))
        return {"FailedResourcesMap": failed}

    def _service_of(self, arn: str) -> ResourceTags:
        parts = arn.split(":")
        if parts[0] != "arn" or len(parts) < 6:
            raise TaggingInvalidParameter(f"{arn} is not a valid ARN.")
        service = self._services.get(parts[2])
        if service is None:
            raise TaggingInvalidParameter(f"Ingle has no resources of the service {parts[2]} that can be tagged here.")
        return service

    def _texts(self, member: str, found: list[str], kind: str) -> Answer:
        page = found[:TEXTS_PER_PAGE]
        return {member: page, "PaginationToken": self._token(kind, page[-1]) if len(found) > len(page) else ""}

    def _token(self, kind: str, last: str) -> str:
        return page_tokens.encode(kind, int(self._clock.now()), last)

    def _start(self, params: Answer, kind: str) -> str | None:
        """The place behind which the page begins. An empty token is none, as the last page's."""
        token = params.get("PaginationToken")
        if not token:
            return None
        key = page_tokens.decode(token, str, int, str)
        if key is None or key[0] != kind:
            raise TaggingInvalidParameter("The PaginationToken is invalid.")
        if self._clock.now() > key[1] + TOKENS_LAST:
            raise TaggingTokenExpired("The PaginationToken has expired.")
        return str(key[2])


def _of_types(found: Iterator[tuple[str, TagSet]], types: Iterable[str]) -> Iterator[tuple[str, TagSet]]:
    """`types` are `service` or `service:kind`, as ARNs spell them; none at all lets everything through."""
    wanted = frozenset(types)
    if not wanted:
        return found
    return ((arn, tags) for arn, tags in found if not wanted.isdisjoint(_types(arn)))


def _types(arn: str) -> tuple[str, str]:
    _, _, service, _, _, kind, *_ = arn.split(":")
    return service, f"{service}:{kind}"


def _page(found: Iterator[tuple[str, TagSet]], params: Answer) -> tuple[list[tuple[str, TagSet]], bool]:
    """The first page of `found`, and whether that is all. A resource without tags counts as one with one."""
    size, room = params.get("ResourcesPerPage", RESOURCES_PER_PAGE), params.get("TagsPerPage")
    page: list[tuple[str, TagSet]] = []
    for arn, tags in islice(found, size):
        if room is not None:
            room -= max(1, len(tags))
            if room < 0:
                return page, False
        page.append((arn, tags))
    return page, len(page) < size or next(found, None) is None


def _resources(found: Iterable[tuple[str, TagSet]], token: str | None) -> Answer:
    shown = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for arn, tags in found
    ]
    return {"ResourceTagMappingList": shown, "PaginationToken": token or ""}


def _failure(error: ServiceError) -> Answer:
    return {"StatusCode": error.http_status, "ErrorCode": error.code, "ErrorMessage": error.message}
