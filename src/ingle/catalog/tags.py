"""Resources by their tags: what searches read. Follows the catalog, so that a search looks at what it may find only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge, nsmallest

from ingle.catalog import Catalog
from ingle.catalog.names import SortedNames
from ingle.domain.arn import FunctionArn
from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.function import Function, FunctionKey

TagSet = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFilter:
    """A resource passes if it has a tag of this key, with one of `values` if there are any."""

    key: str
    values: frozenset[str] = frozenset()

    def passes(self, tags: TagSet) -> bool:
        return self.key in tags and (not self.values or tags[self.key] in self.values)


class _Holders:
    """The ARNs that have a tag of one key, all and by its value."""

    def __init__(self) -> None:
        self.all = SortedNames()
        self.by_value: defaultdict[str, SortedNames] = defaultdict(SortedNames)

    def add(self, value: str, arn: str) -> None:
        self.all.add(arn)
        self.by_value[value].add(arn)

    def discard(self, value: str, arn: str) -> None:
        self.all.discard(arn)
        self.by_value[value].discard(arn)
        if not self.by_value[value]:
            del self.by_value[value]


class _Place:
    """The tagged resources of one account in one region, by ARN. `holders`: their ARNs by key and value."""

    def __init__(self) -> None:
        self.tags: dict[str, TagSet] = {}
        self.arns = SortedNames()
        self.holders: defaultdict[str, _Holders] = defaultdict(_Holders)

    def put(self, arn: str, tags: TagSet | None) -> None:
        before = self.tags.pop(arn, None)
        for key, value in (before or {}).items():
            self._drop(key, value, arn)
        if tags is None:
            self.arns.discard(arn)
            return
        self.arns.add(arn)
        self.tags[arn] = tags
        for key, value in tags.items():
            self.holders[key].add(value, arn)

    def _drop(self, key: str, value: str, arn: str) -> None:
        holders = self.holders[key]
        holders.discard(value, arn)
        if not holders.all:
            del self.holders[key]

    def having(self, wanted: TagFilter) -> list[SortedNames]:
        """Disjoint sets of ARNs: together those that pass."""
        holders = self.holders.get(wanted.key)
        if holders is None:
            return []
        if not wanted.values:
            return [holders.all]
        return [holders.by_value[value] for value in wanted.values if value in holders.by_value]


class TagIndex:
    """Resources that have tags or had some. Single-threaded; not to be changed while an answer is being read."""

    def __init__(self, catalog: Catalog) -> None:
        self._places: defaultdict[tuple[str, str], _Place] = defaultdict(_Place)
        catalog.follow(self._function_changed)
        catalog.code_signing.follow(self._code_signing_changed)

    def get(self, account: str, region: str, arn: str) -> TagSet | None:
        """The tags of a resource; None if it has never had any."""
        return self._place(account, region).tags.get(arn)

    def find(
        self, account: str, region: str, filters: Sequence[TagFilter] = (), after: str | None = None
    ) -> Iterator[tuple[str, TagSet]]:
        """The resources that pass every filter, with their tags, by ARN; those behind `after` only."""
        place = self._place(account, region)
        if not filters:
            return ((arn, place.tags[arn]) for arn in place.arns.after(after))
        candidates = min((place.having(wanted) for wanted in filters), key=lambda found: sum(map(len, found)))
        behind = merge(*(arns.after(after) for arns in candidates))
        passing = (arn for arn in behind if all(wanted.passes(place.tags[arn]) for wanted in filters))
        return ((arn, place.tags[arn]) for arn in passing)

    def keys(self, account: str, region: str, after: str | None, most: int) -> list[str]:
        """The first `most` keys in use, sorted; those behind `after` only."""
        return _first(self._place(account, region).holders, after, most)

    def values(self, account: str, region: str, key: str, after: str | None, most: int) -> list[str]:
        """The first `most` values that tags of this key have, sorted; those behind `after` only."""
        holders = self._place(account, region).holders.get(key)
        return [] if holders is None else _first(holders.by_value, after, most)

    def _place(self, account: str, region: str) -> _Place:
        return self._places.get((account, region)) or _Place()

    def _function_changed(self, key: FunctionKey, function: Function | None) -> None:
        tags = None if function is None else function.tags
        # Functions change often and few have tags: an ARN is made up only where there may be something to say.
        if tags is not None or (key.account, key.region) in self._places:
            self._set(key.account, key.region, str(FunctionArn.of(key)), tags)

    def _code_signing_changed(self, key: CodeSigningKey, config: CodeSigningConfig | None) -> None:
        self._set(key.account, key.region, key.arn, None if config is None else config.tags)

    def _set(self, account: str, region: str, arn: str, tags: TagSet | None) -> None:
        """`tags` is what the resource has from now on; None: it has never had any, or is gone."""
        place = self._places.get((account, region))
        if place is None and tags is None:
            return
        place = place or self._places[account, region]
        if place.tags.get(arn) is not tags:
            place.put(arn, tags)


def _first(texts: Mapping[str, object], after: str | None, most: int) -> list[str]:
    return nsmallest(most, (text for text in texts if after is None or text > after))
