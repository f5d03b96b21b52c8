"""How Ruby interpreters are found, and how Ruby runtimes are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.worker.families import family_of, ruby_interpreters
from ingle.worker.families.family import Layout
from ingle.worker.families.ruby import Ruby
from ingle.worker.families.ruby_interpreters import Places, search
from ingle.worker.interpreters import Interpreter, Rejected
from ingle.worker.launch_plan import must_execute

from ..versions import opened

INSIDE = Layout(interpreter="/var/lang/bin/ruby")


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program's "answer" is its own content behind the ELF magic: nothing is executed."""

    def ask(executables, question):
        return [question.understand(file, file.read_bytes()[4:]) for file in executables]

    monkeypatch.setattr("ingle.worker.interpreters._ask", ask)


def ruby(path: Path, version: str, prefix: str | None = None, engine: str = "ruby") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    home = prefix or str(path.parent.parent)
    path.write_bytes(b"\x7fELF" + f'["{engine}", "{version}", "{home}"]'.encode())
    path.chmod(0o755)
    return path


def test_the_newest_patch_of_each_version_wins(tmp_path: Path) -> None:
    for version in ("3.3.2", "3.3.10", "3.4.1", "4.0.0"):
        ruby(tmp_path / "versions" / version / "bin/ruby", version)
    found = search(places=Places(versions=(tmp_path / "versions",)))
    assert {item.runtime: item.version for item in found.interpreters} == {
        "ruby3.3": "3.3.10", "ruby3.4": "3.4.1", "ruby4.0": "4.0.0",
    }  # fmt: skip
    assert found.interpreters[0].prefix == tmp_path / "versions/3.3.10"
    assert [item.runtime for item in found.interpreters] == ["ruby3.3", "ruby3.4", "ruby4.0"]


@pytest.mark.parametrize(
    ("version", "engine", "reason"),
    [
        ("3.1.2", "ruby", "is version 3.1.2, older than 3.2"),
        ("3.4.0", "truffleruby", "is truffleruby 3.4.0, not CRuby"),
    ],
)
def test_what_is_left_out_and_why(tmp_path: Path, version: str, engine: str, reason: str) -> None:
    program = ruby(tmp_path / "bin/ruby", version, engine=engine)
    found = search(places=Places(programs=(tmp_path / "bin",)))
    assert found.interpreters == []
    assert found.rejected == [Rejected(executable=program, reason=reason)]


def test_configured_places_may_be_programs_installations_or_directories_of_them(tmp_path: Path) -> None:
    program = ruby(tmp_path / "a/bin/ruby", "3.2.1")
    ruby(tmp_path / "b/bin/ruby", "3.3.1")
    ruby(tmp_path / "many/one/bin/ruby", "3.4.1")
    found = search([program, tmp_path / "b", tmp_path / "many", tmp_path / "absent"], places=Places())
    assert [item.runtime for item in found.interpreters] == ["ruby3.2", "ruby3.3", "ruby3.4"]
    assert found.rejected == [Rejected(executable=tmp_path / "absent", reason="no such file or directory")]


def test_an_older_interpreter_stands_in_where_it_is_told_to(tmp_path: Path) -> None:
    program = ruby(tmp_path / "bin/ruby3.1", "3.1.2")
    (tmp_path / "bin/ruby").symlink_to("ruby3.1")
    found = search(stand_ins=[("ruby3.2", tmp_path / "bin/ruby")], places=Places(programs=(tmp_path / "bin",)))
    expected = Interpreter(runtime="ruby3.2", version="3.1.2", executable=program, prefix=tmp_path)
    assert (found.interpreters, found.rejected) == ([expected], [])


def test_versions() -> None:
    assert ruby_interpreters.version_of("ruby3.10") == (3, 10)
    assert ruby_interpreters.version_of("ruby3.1") is None
    assert ruby_interpreters.version_of("rubyx") is None


class TestStarting:
    def test_a_moved_interpreter_is_told_where_its_library_is(self) -> None:
        command = Ruby().start(opened("ruby3.3"), INSIDE)
        assert command[0] == "/var/lang/bin/ruby"
        assert "/var/lang/lib/ruby/3.3.0" in command
        assert command[-1] == "/var/runtime/bootstrap.rb"

    def test_an_interpreter_of_the_system_stays_where_it_is(self) -> None:
        system = Interpreter(
            runtime="ruby3.3", version="3.3.8", executable=Path("/usr/bin/ruby3.3"), prefix=Path("/usr")
        )
        inside = Ruby().inside(system)
        assert inside == "/usr/bin/ruby3.3"
        assert Ruby().start(opened("ruby3.3"), Layout(interpreter=inside)) == [inside, "/var/runtime/bootstrap.rb"]

    def test_paths_of_gems_and_libraries(self) -> None:
        given = Ruby().defaults("ruby4.0", Layout(interpreter="/usr/bin/ruby"))
        assert given["GEM_PATH"] == (
            "/var/task/vendor/bundle/ruby/4.0.0:/opt/ruby/gems/4.0.0:/var/runtime:/var/runtime/ruby/4.0.0"
        )
        assert given["RUBYLIB"] == "/var/task:/var/runtime/lib:/opt/ruby/lib"
        assert given["GEM_HOME"] == "/var/runtime"

    @pytest.mark.parametrize("name", ["RUBYOPT", "GEM_PATH", "BUNDLE_GEMFILE", "LD_PRELOAD"])
    def test_variables_that_the_interpreter_reads(self, name: str) -> None:
        assert must_execute(opened("ruby3.3", environment={name: "x"}))

    def test_the_label(self) -> None:
        family = family_of("ruby3.3")
        assert family is not None
        assert family.label("ruby3.3") == "ruby:3.3"
