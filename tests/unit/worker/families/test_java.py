"""How Java installations are found, how Ingle's Java runtime is compiled, and how it is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingle.worker.families import java_libraries
from ingle.worker.families.family import InstallError, Layout
from ingle.worker.families.installing import STAMP
from ingle.worker.families.java import Java
from ingle.worker.families.java_interpreters import Places, examine, linked_directories, number, search
from ingle.worker.interpreters import Interpreter, Rejected

from ..versions import opened

LAYOUT = Layout(interpreter="/var/lang/bin/java")


def jdk(home: Path, version: str, **told: str) -> Path:
    """An installation; its `java` program."""
    program = home / "bin/java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_bytes(b"\x7fELF\x02\x01")
    program.chmod(0o755)
    lines = [f'{name}="{value}"\n' for name, value in {"JAVA_VERSION": version, **told}.items()]
    (home / "release").write_text("".join(lines))
    return program


class TestDiscovery:
    def test_the_release_file_tells_the_version_and_the_newest_wins(self, tmp_path: Path) -> None:
        for version in ("1.8.0_402", "11.0.2", "11.0.10", "17", "21.0.1", "25"):
            jdk(tmp_path / version, version, OS_ARCH="x86_64" if version != "21.0.1" else "aarch64")
        found = search(places=Places(directories=(tmp_path,)))
        kept = {item.runtime: item.version for item in found.interpreters}
        machine = __import__("os").uname().machine
        there = {"java8.al2": "1.8.0_402", "java11": "11.0.10", "java17": "17", "java25": "25"}
        assert kept == (there if machine == "x86_64" else {"java21": "21.0.1"})
        assert [item.reason for item in found.rejected].count("is made for aarch64") == (machine == "x86_64")

    def test_versions_without_a_runtime_are_left_out(self, tmp_path: Path) -> None:
        program = jdk(tmp_path / "16", "16.0.2")
        found = search(places=Places(directories=(tmp_path,)))
        reason = "is Java 16.0.2, of which AWS has no runtime"
        assert (found.interpreters, found.rejected) == ([], [Rejected(executable=program, reason=reason)])

    def test_a_link_on_the_path_leads_to_the_installation(self, tmp_path: Path) -> None:
        program = jdk(tmp_path / "jvm/17", "17.0.1")
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/java").symlink_to(program)
        found = search(places=Places(programs=(tmp_path / "bin",)))
        assert [item.prefix for item in found.interpreters] == [tmp_path / "jvm/17"]

    def test_java_home_and_configured_places(self, tmp_path: Path) -> None:
        jdk(tmp_path / "home", "11.0.1")
        program = jdk(tmp_path / "program", "17.0.1")
        jdk(tmp_path / "many/one", "21.0.1")
        places = Places.of_this_machine({"JAVA_HOME": str(tmp_path / "home")})
        assert tmp_path / "home" in places.homes
        given = [program, tmp_path / "many", tmp_path / "absent"]
        found = search(given, places=Places(homes=(tmp_path / "home",)))
        assert [item.runtime for item in found.interpreters] == ["java11", "java17", "java21"]
        assert found.rejected == [Rejected(executable=tmp_path / "absent", reason="no such file or directory")]

    def test_a_program_without_a_release_file(self, tmp_path: Path) -> None:
        program = jdk(tmp_path, "17")
        (tmp_path / "release").unlink()
        answer = examine(program)
        assert answer == Rejected(executable=program, reason="has no `release` file that tells its version")

    def test_settings_behind_links_into_etc(self, tmp_path: Path) -> None:
        jdk(tmp_path, "17")
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf/net.properties").symlink_to("/etc/java-99-openjdk/net.properties")
        (tmp_path / "conf/other").symlink_to("/etc/passwd")
        (tmp_path / "lib").symlink_to("/usr/lib")
        assert linked_directories(tmp_path) == [Path("/etc/java-99-openjdk")]

    @pytest.mark.parametrize(
        ("runtime", "expected"),
        [("java8.al2", 8), ("java8", None), ("java17", 17), ("java17.al2023", 17), ("java16", None), ("javax", None)],
    )
    def test_versions_of_runtimes(self, runtime: str, expected: int | None) -> None:
        assert number(runtime) == expected


class TestCompiling:
    def interpreter(self, tmp_path: Path) -> Interpreter:
        found = examine(jdk(tmp_path / "jdk", "17.0.1"))
        assert isinstance(found, Interpreter)
        return found

    def test_a_jre_alone_cannot_and_says_what_to_install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InstallError, match="install a JDK"):
            java_libraries.install(tmp_path / "runtimes", self.interpreter(tmp_path), [])
        assert not (tmp_path / "runtimes").exists()

    def test_a_compiler_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        interpreter = self.interpreter(tmp_path)
        compiler = interpreter.prefix / "bin/javac"
        compiler.write_text("#!/bin/sh\necho 'error: no room' >&2\nexit 1\n")
        compiler.chmod(0o755)
        with pytest.raises(InstallError, match="error: no room"):
            java_libraries.install(tmp_path / "runtimes", interpreter, [])
        assert list((tmp_path / "runtimes").iterdir()) == []

    def test_a_dropped_target_is_followed_by_the_next(self, tmp_path: Path) -> None:
        interpreter = self.interpreter(tmp_path)
        compiler = interpreter.prefix / "bin/javac"
        compiler.write_text(f"""#!/bin/sh
echo "$@" >> {tmp_path}/calls
case "$*" in
    -version) echo javac 99 ;;
    *"--release 8 "*) echo 'error: release version 8 not supported' >&2; exit 2 ;;
esac
""")
        compiler.chmod(0o755)
        interpreter.executable.write_text("#!/bin/sh\nexit 0\n")
        compiled = java_libraries.install(tmp_path / "runtimes", interpreter, [])
        assert compiled.compiler == "javac 99"
        calls = (tmp_path / "calls").read_text().splitlines()
        assert ["--release 8 " in calls[0], "--release 11 " in calls[1]] == [True, True]
        assert java_libraries.installed(tmp_path / "runtimes", "java17") == compiled

    def test_what_was_made_from_other_sources_is_not_current(self, tmp_path: Path) -> None:
        directory = java_libraries.directory(tmp_path, "java17")
        directory.mkdir()
        stamp = {"sources": java_libraries.sources_digest(), "java": "17", "compiler": "javac 17"}
        (directory / STAMP).write_text(json.dumps(stamp))
        assert Java().lacking(tmp_path, "java17") is None
        (directory / STAMP).write_text(json.dumps({**stamp, "sources": "old"}))
        assert java_libraries.installed(tmp_path, "java17") is None
        assert "ingle runtimes install java17" in (Java().lacking(tmp_path, "java17") or "")


class TestStarting:
    def test_the_command(self) -> None:
        command = Java().start(opened("java17", memory=512), LAYOUT)
        assert command[0] == "/var/lang/bin/java"
        assert {"-XX:MaxHeapSize=445644K", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"} <= set(command)
        assert command[-3:] == ["-cp", "/var/runtime/ingle-runtime.jar", "ingle.runtime.Bootstrap"]
        assert "@/var/runtime/ingle-runtime.options" in command

    @pytest.mark.parametrize(
        ("runtime", "opens", "first"),
        [("java8.al2", False, False), ("java11", True, False), ("java17", True, True), ("java25", True, True)],
    )
    def test_what_differs_between_versions(self, runtime: str, opens: bool, first: bool) -> None:
        command = Java().start(opened(runtime), LAYOUT)
        assert ("--add-opens=java.base/java.io=ALL-UNNAMED" in command) == opens
        assert ("-XX:TieredStopAtLevel=1" in command) == first
        assert any(part.startswith("@") for part in command) == first

    @pytest.mark.parametrize(
        ("given", "absent"),
        [("-Xmx100m", "-XX:MaxHeapSize"), ("-XX:MaxRAMPercentage=50", "-XX:MaxHeapSize"),
         ("-XX:+UseParallelGC", "-XX:+UseSerialGC"), ("-XX:TieredStopAtLevel=4", "-XX:TieredStopAtLevel")],
    )  # fmt: skip
    def test_a_function_may_choose(self, given: str, absent: str) -> None:
        command = Java().start(opened("java17", environment={"JAVA_TOOL_OPTIONS": given}), LAYOUT)
        assert not any(part.startswith(absent) for part in command)

    def test_names_of_one_version_share_an_interpreter(self) -> None:
        assert Java().interpreter_of("java17.al2023") == "java17"
        assert Java().interpreter_of("java8.al2023") == "java8.al2"

    def test_variables_are_few(self) -> None:
        assert Java().defaults("java17", LAYOUT) == {}

    def test_outside_a_sandbox_the_jar_is_where_it_was_installed(self) -> None:
        layout = Layout(interpreter="/usr/bin/java", guest="/x", task="/y", libraries="/runtimes/java17")
        command = Java().start(opened("java17"), layout)
        assert "/runtimes/java17/ingle-runtime.jar" in command
        assert not any(part.startswith("@") for part in command)
