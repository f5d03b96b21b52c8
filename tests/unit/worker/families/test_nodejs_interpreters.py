from __future__ import annotations

from pathlib import Path

import pytest

from ingle.worker.families import nodejs_interpreters
from ingle.worker.families.nodejs_interpreters import Places, major, search
from ingle.worker.interpreters import Discovery, Rejected

NOWHERE = Places()
HEADER = """
#define NODE_MAJOR_VERSION {0}
#define NODE_MINOR_VERSION {1}
#define NODE_PATCH_VERSION {2}
#define NODE_VERSION_IS_RELEASE {3}
"""


def program(path: Path, content: bytes = b"\x7fELF\x02\x01") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def headers(prefix: Path, version: str, release: int = 1) -> None:
    file = prefix / "include/node/node_version.h"
    file.parent.mkdir(parents=True)
    file.write_text(HEADER.format(*version.split("."), release))


def versions(discovery: Discovery) -> dict[str, str]:
    return {item.runtime: item.version for item in discovery.interpreters}


def test_installations_of_version_managers_are_believed_and_the_newest_of_a_major_version_wins(tmp_path):
    for version in ("v22.9.1", "v22.10.0", "v18.20.4", "v16.20.2", "v23.1.0", "24.1.0", "v24.0.0-rc.1"):
        program(tmp_path / version / "bin/node")
    found = search(places=Places(versions=(tmp_path,)))
    assert versions(found) == {"nodejs18.x": "18.20.4", "nodejs22.x": "22.10.0", "nodejs24.x": "24.1.0"}
    assert [item.runtime for item in found.interpreters] == ["nodejs18.x", "nodejs22.x", "nodejs24.x"]
    assert found.interpreters[1].executable == tmp_path / "v22.10.0/bin/node"


def test_headers_tell_the_version_of_a_program(tmp_path):
    program(tmp_path / "bin/node")
    headers(tmp_path, "20.19.3")
    (found,) = search(places=Places(programs=(tmp_path / "bin",))).interpreters
    assert (found.runtime, found.version, found.prefix) == ("nodejs20.x", "20.19.3", tmp_path)


def test_headers_of_a_nightly_build_are_not_believed(tmp_path):
    program(tmp_path / "bin/node")
    headers(tmp_path, "20.19.3", release=0)
    (rejected,) = search(places=Places(programs=(tmp_path / "bin",))).rejected
    assert rejected.reason.startswith("cannot be run")


def test_a_link_leads_to_the_installation(tmp_path):
    program(tmp_path / "real/bin/node")
    headers(tmp_path / "real", "22.1.0")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/node").symlink_to("../real/bin/node")
    (found,) = search(places=Places(programs=(tmp_path / "bin",))).interpreters
    assert found.executable == tmp_path / "real/bin/node"


def test_configured_places_come_first_and_may_be_anything(tmp_path):
    for name in ("a", "b"):
        program(tmp_path / name / "bin/node")
        headers(tmp_path / name, "22.1.0")
    places = Places(programs=(tmp_path / "a/bin",))
    for configured in (tmp_path / "b", tmp_path / "b/bin"):
        (found,) = search([configured], places=places).interpreters
        assert found.prefix == tmp_path / "b"
    (missing,) = search([tmp_path / "nowhere"], places=NOWHERE).rejected
    assert missing.reason == "no such file or directory"


def test_shims_are_passed_over(tmp_path):
    program(tmp_path / "node", b"#!/bin/sh\n")
    found = search(places=Places(programs=(tmp_path,)))
    assert (found.interpreters, found.rejected) == ([], [])


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "does not start"),
        (b'["bun", "v22.1.0", "/x/bin/node"]', "is bun, not Node.js"),
        (b'["node", "v16.20.2", "/x/bin/node"]', "is version v16.20.2, older than 18"),
        (b'["node", "v23.1.0", "/x/bin/node"]', "is version v23.1.0, for which there is no runtime"),
        (b'["node", "v24.0.0-nightly2025", "/x/bin/node"]', "is version v24.0.0-nightly2025, not a release"),
    ],
)
def test_answers_that_rule_an_interpreter_out(output, reason):
    answer = nodejs_interpreters._understand(Path("/x/bin/node"), output)
    assert isinstance(answer, Rejected)
    assert answer.reason == reason


def test_an_answer_tells_where_the_interpreter_is():
    answer = nodejs_interpreters._understand(Path("/link"), b'["node", "v22.1.0", "/opt/node/bin/node"]')
    assert (answer.runtime, answer.version, answer.prefix) == ("nodejs22.x", "22.1.0", Path("/opt/node"))


@pytest.mark.parametrize(
    ("runtime", "expected"), [("nodejs22.x", 22), ("nodejs", None), ("nodejs4.3", None), ("nodejs4.3-edge", None)]
)
def test_the_major_version_of_a_runtime(runtime, expected):
    assert major(runtime) == expected
