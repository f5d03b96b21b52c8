from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ingle.frontend.internal import CONSOLE, console, find_route, internal_request


@dataclass
class Shown:
    body: bytes
    status: int = 200
    headers: list = field(default_factory=lambda: [(b"x", b"y")])


ROUTES = console(lambda path, *, gzipped: Shown(f"{path} {gzipped}".encode()))


async def ask(path, headers=None, **more):
    route, rest = find_route(ROUTES, path)
    return await route(internal_request("GET", rest, "", headers, **more))


async def test_its_address_without_a_slash_leads_to_the_one_with_it():
    answer = await ask(CONSOLE)
    assert (answer.status, answer.headers) == (307, [(b"location", b"/_ingle/console/")])


async def test_pages_are_asked_for_by_what_follows():
    assert (await ask(f"{CONSOLE}/")).body == b" False"
    assert (await ask(f"{CONSOLE}/a/b")).body == b"a/b False"


@pytest.mark.parametrize(
    ("accepted", "gzipped"),
    [
        (b"gzip, deflate, br", True), (b"br;q=1.0, GZIP;q=0.5", True), (b"gzip;q=0.1", True), (b"identity", False),
        (b"gzip;q=0", False), (b"gzip; q=0.0, br", False), (b"", False),
    ],
)  # fmt: skip
async def test_compressed_answers_are_for_who_takes_them(accepted, gzipped):
    answer = await ask(f"{CONSOLE}/a", {b"accept-encoding": accepted})
    assert answer.body == f"a {gzipped}".encode()


async def test_functions_do_not_get_it():
    assert (await ask(f"{CONSOLE}/", from_environment=True)).status == 403
