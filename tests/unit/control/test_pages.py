"""Pages of any list: together they are the list, in order, whatever comes and goes between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.catalog.names import SortedNames
from ingle.control import pages
from ingle.domain.errors import InvalidParameterValue

names = st.sets(st.text(min_size=1, max_size=5), max_size=40)


def of(found: set[str]) -> SortedNames:
    sorted_names = SortedNames()
    for name in found:
        sorted_names.add(name)
        sorted_names.add(name)
    return sorted_names


def walk(found: SortedNames, size: int) -> list[list[str]]:
    result, params = [], {"MaxItems": size}
    while True:
        page, marker = pages.page_of(found.after(pages.start_of(params, "x")), str, params, "x")
        result.append(page)
        if marker is None:
            return result
        params: dict[str, Any] = {"MaxItems": size, "Marker": marker}


@given(found=names, size=st.integers(1, 60))
def test_pages_are_the_list(found: set[str], size: int) -> None:
    walked = walk(of(found), size)
    assert [name for page in walked for name in page] == sorted(found)
    assert all(len(page) == min(size, pages.MAX_PAGE) for page in walked[:-1])


@given(found=names, gone=names, come=names, size=st.integers(1, 10))
def test_nothing_that_stays_is_missed_or_repeated(found: set[str], gone: set[str], come: set[str], size: int) -> None:
    sorted_names = of(found)
    first, marker = pages.page_of(sorted_names.after(None), str, {"MaxItems": size}, "x")
    for name in gone:
        sorted_names.discard(name)
    for name in come:
        sorted_names.add(name)
    rest = list(sorted_names.after(pages.start_of({"Marker": marker}, "x"))) if marker else []
    assert len(set(first + rest)) == len(first + rest)
    assert (found - gone if marker else set()) <= set(first + rest)
    assert len(sorted_names) == len((found - gone) | come)


@pytest.mark.parametrize("marker", ["x", "AAAA", "WyJ4IiwxXQ==", "W10=", "é"])
def test_what_is_no_marker_is_refused(marker: str) -> None:
    with pytest.raises(InvalidParameterValue, match="Invalid pagination token"):
        pages.start_of({"Marker": marker}, "x")


@pytest.mark.parametrize("position", ["", "-1", "x", "١"])
def test_a_position_that_is_no_number_is_refused(position: str) -> None:
    with pytest.raises(InvalidParameterValue):
        pages.number_of(position, {"Marker": "m"})
