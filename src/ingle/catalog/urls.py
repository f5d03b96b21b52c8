"""Functions by the ids of their URLs. Follows the catalog."""

from __future__ import annotations

from dataclasses import dataclass

from ingle.catalog import Catalog
from ingle.domain.function import LATEST, Function, FunctionKey
from ingle.domain.function_url import FunctionUrl


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """What answers at a URL: the function, or one of its aliases."""

    function: Function
    alias: str | None
    url: FunctionUrl


class UrlIndex:
    """Single-threaded, like the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._found: dict[str, Addressed] = {}
        self._of: dict[FunctionKey, tuple[str, ...]] = {}
        catalog.follow(self._changed)

    def get(self, url_id: str) -> Addressed | None:
        return self._found.get(url_id)

    def _changed(self, key: FunctionKey, function: Function | None) -> None:
        for url_id in self._of.pop(key, ()):
            del self._found[url_id]
        if function is None:
            return
        urls = list(function.attachments.of(FunctionUrl))
        for qualifier, url in urls:
            alias = None if qualifier == LATEST else qualifier
            self._found[url.id] = Addressed(function=function, alias=alias, url=url)
        if urls:
            self._of[key] = tuple(url.id for _, url in urls)
