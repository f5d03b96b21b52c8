"""The web console in a browser, against real servers. The scenarios are in `console/e2e`."""

from __future__ import annotations

import base64
import gzip
import http.client
import io
import json
import os
import re
import subprocess
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from access_site import Site, allow
from console.scenarios import CONSOLE, NODE, PYTHON, ROOT, needs_browser, needs_node, play
from ingle.settings import load
from ingle.worker import families
from served import Server, create_function, package

SOURCE = "def handler(event, context):\n    return event\n"
MANY = 5000
#: Connections that create at one time: the server commits together what comes together.
_ABREAST = 8
#: Of a caller whom nobody checks. Signing thousands of requests takes longer than serving them.
_UNSIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "Content-Type": "application/json",
}


@needs_node
def test_units() -> None:
    assert NODE is not None
    environ = {**NODE.environ, "NO_COLOR": "1"}
    ran = subprocess.run(
        [*NODE.npm, "test"], cwd=CONSOLE, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_node
def test_the_first_load_is_at_most_one_and_a_half_megabytes() -> None:
    built = ROOT / "src/ingle/console/built"
    page = gzip.decompress((built / "index.html.gz").read_bytes()).decode()
    files = re.findall(r'(?:src|href)="/_ingle/console/([^"]+)"', page)
    assert {name.rpartition(".")[2] for name in files} >= {"js", "css"}
    assert sum((built / f"{name}.gz").stat().st_size for name in files) < 1_500_000


@needs_node
@needs_browser
def test_a_function_is_created_edited_deployed_tested_and_deleted(console_server: Server) -> None:
    assert play("life", {"url": console_server.url}) == [
        "an empty list", "creating, with mistakes", "the code", "the code in the dark", "a result",
        "a narrow window",
    ]  # fmt: skip
    assert console_server.client("lambda").list_functions()["Functions"] == []
    [role] = console_server.client("iam").list_roles()["Roles"]
    assert role["RoleName"].startswith("life-role-")


def _node_runtime() -> str | None:
    """A runtime whose interpreter is on this machine."""
    found = (item.runtime for item in families.search(load()).interpreters)
    return next((runtime for runtime in found if runtime in ("nodejs20.x", "nodejs22.x", "nodejs24.x")), None)


@needs_node
@needs_browser
def test_every_blueprint_runs_at_once(console_server: Server) -> None:
    def call(asked: Any) -> str:
        # Names below localhost are loopback to browsers, and not to every resolver.
        address = urlsplit(asked["call"])
        request = urllib.request.Request(console_server.url + "/greet", headers={"Host": address.netloc})
        with urllib.request.urlopen(request) as response:
            return str(response.read().decode())

    play("blueprints", {"url": console_server.url, "node": _node_runtime()}, call)


def _create(server: Server, names: list[str]) -> None:
    code = base64.b64encode(package({"app.py": SOURCE})).decode()
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    for name in names:
        asked = {
            "FunctionName": name, "Runtime": PYTHON, "Handler": "app.handler",
            "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": code},
            "Tags": {"team": "blue" if name.endswith("7") else "green"},
            "Description": "the last one" if name == f"many-{MANY - 1:04}" else "one of many",
        }  # fmt: skip
        connection.request("POST", "/2015-03-31/functions", json.dumps(asked), _UNSIGNED)
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()
        answer.read()
    connection.close()


@needs_node
@needs_browser
def test_thousands_of_functions_are_searched_sorted_and_deleted(console_server: Server) -> None:
    names = [f"many-{number:04}" for number in range(MANY)]
    with ThreadPoolExecutor(_ABREAST) as pool:
        list(pool.map(lambda first: _create(console_server, names[first::_ABREAST]), range(_ABREAST)))
    given = {"url": console_server.url, "count": MANY, "blue": MANY // 10, "last": names[-1]}
    assert play("list", given) == ["a list that is searched", "deleting several"]


@needs_node
@needs_browser
def test_a_folder_and_a_zip_are_uploaded(console_server: Server, directory: Path) -> None:
    folder = directory / "folder"
    (folder / "data").mkdir(parents=True)
    (folder / "app.py").write_text("def handler(event, context):\n    return 'from a folder'\n")
    (folder / "windows.txt").write_bytes(b"one\r\ntwo\r\n")
    (folder / "data/noise.bin").write_bytes(bytes(range(256)))
    (folder / "data/large.txt").write_text("a line\n" * 200_000)
    large = directory / "large.zip"
    large.write_bytes(package({"app.py": SOURCE, "large": os.urandom(11 << 20)}))
    play("upload", {"url": console_server.url, "folder": str(folder), "zip": str(large)})
    location = console_server.client("lambda").get_function(FunctionName="from-folder")["Code"]["Location"]
    with urllib.request.urlopen(location) as response, zipfile.ZipFile(io.BytesIO(response.read())) as archive:
        assert archive.read("windows.txt") == b"one\r\ntwo\r\nthree"
        assert len(archive.read("data/large.txt")) == 1_400_000


@needs_node
@needs_browser
def test_who_signs_in_sees_what_they_may(directory: Path) -> None:
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    try:
        site = Site(server)
        create_function(site.lambda_, "seen", SOURCE, Role=site.role(), Runtime=PYTHON)
        key, secret, _ = site.user(allow("lambda:ListFunctions"))
        checked = play("signin", {"url": server.url, "key": key, "secret": secret, "account": "000000000000"})
        assert checked == ["signing in", "a list with limited rights"]
    finally:
        assert server.stop() == 0


@needs_node
@needs_browser
def test_a_dead_server_and_bad_answers_are_told(console_server: Server) -> None:
    create_function(console_server.client("lambda"), "survivor", SOURCE, Runtime=PYTHON)

    def answer(asked: Any) -> str:
        if asked == "kill":
            console_server.kill()
        else:
            console_server.start()
        return "done"

    play("trouble", {"url": console_server.url}, answer)
    assert len(console_server.client("iam").list_roles()["Roles"]) == 1
    code = console_server.client("lambda").get_function(FunctionName="survivor")["Code"]["Location"]
    with urllib.request.urlopen(code) as response:
        assert response.status == 200
