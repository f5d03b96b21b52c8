from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ingle.settings import AccessPoint
from ingle.storage.disk import Space
from ingle.worker import doctor, kernel
from ingle.worker.doctor import Level
from ingle.worker.interpreters import Discovery, Interpreter


def test_every_lack_has_a_consequence_and_everything_is_looked_at(tmp_path):
    findings = doctor.examine(Discovery(), tmp_path, tmp_path)
    subjects = {finding.subject for finding in findings}
    assert {"user", "namespaces", "network namespaces", "cgroups", "seccomp", "Landlock", "nftables"} <= subjects
    assert all(finding.detail and (finding.level is Level.OK or finding.consequence) for finding in findings)
    assert doctor.isolation() in ("root", "user", "process")


def test_a_runtime_without_boto3_is_told_with_the_command(tmp_path):
    interpreter = Interpreter(runtime="python3.12", version="3.12.1", executable=Path("/x"), prefix=Path("/"))
    (finding,) = [f for f in doctor.examine(Discovery([interpreter]), tmp_path, tmp_path) if f.subject == "runtimes"]
    assert finding.level is Level.WEAKER
    assert "ingle runtimes install" in finding.consequence


def make_proc(tmp_path: Path, mountinfo: str, cgroup: str) -> Path:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_text(mountinfo)
    (tmp_path / "self/cgroup").write_text(cgroup)
    return tmp_path


def test_a_delegated_cgroup2_is_found_and_the_trial_group_is_removed(tmp_path):
    root = tmp_path / "cgroup"
    own = root / "user.slice"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text("cpu memory pids io\n")
    mountinfo = f"30 20 0:25 / {root} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    found = doctor.find_cgroups(make_proc(tmp_path, mountinfo, "0::/user.slice\n"))
    assert found.v2 == ("memory", "cpu", "pids")
    assert found.unified == own
    assert sorted(path.name for path in own.iterdir()) == ["cgroup.controllers"]


def test_v1_controllers_are_found_in_their_own_hierarchies(tmp_path):
    for name in ("memory", "cpu,cpuacct"):
        (tmp_path / "cg" / name).mkdir(parents=True)
    mountinfo = "".join(
        f"3{n} 20 0:2{n} / {tmp_path}/cg/{name} rw - cgroup cgroup rw,{name}\n"
        for n, name in enumerate(("memory", "cpu,cpuacct"))
    )
    found = doctor.find_cgroups(make_proc(tmp_path, mountinfo, "4:memory:/\n3:cpu,cpuacct:/\n"))
    assert found.v1 == ("memory", "cpu")
    assert found.unified is None


def test_a_machine_without_cgroups_says_what_is_lost(tmp_path):
    cgroups = doctor.find_cgroups(tmp_path)
    findings = list(doctor._cgroup_findings(cgroups, root=False))
    assert [finding.level for finding in findings] == [Level.WEAKER, Level.WEAKER]
    assert "CPU share is not limited" in findings[0].consequence


def test_an_attempt_tells_why_it_failed_and_changes_nothing_here():
    def fail() -> None:
        raise PermissionError(1, os.strerror(1))

    here = Path.cwd()
    assert kernel.attempt(lambda: os.chdir("/")) is None
    assert Path.cwd() == here
    assert kernel.attempt(fail) == "Operation not permitted"
    assert kernel.attempt(lambda: os.kill(os.getpid(), 9)) == "the attempt was killed"


def test_findings_become_json(tmp_path):
    from dataclasses import asdict

    findings = doctor.examine(Discovery(), tmp_path, tmp_path)
    assert json.loads(json.dumps([asdict(finding) for finding in findings]))[0]["subject"] == "machine"


@pytest.mark.parametrize("name", ["sh", "no-such-program-here"])
def test_system_programs_are_found_beyond_the_path(name):
    assert bool(doctor.program(name, lambda _, path=None: "/bin/sh" if path and name == "sh" else None)) is (
        name == "sh"
    )


def test_the_disk_of_a_data_directory_that_is_not_there_yet_is_looked_at(tmp_path):
    looked_at = []

    def look(path):
        looked_at.append(path)
        return Space(free=1 << 40, total=1 << 41)

    finding = doctor.disk(tmp_path / "not" / "yet", look)
    assert (finding.level, looked_at) == (Level.OK, [tmp_path])


def test_a_full_disk_is_told_with_what_follows(tmp_path):
    finding = doctor.disk(tmp_path, lambda path: Space(free=1 << 20, total=1 << 41))
    assert finding.level is Level.WEAKER
    assert "1 MB" in finding.detail
    assert "refused" in finding.consequence


def test_companions_that_take_no_connection_are_told():
    def connect(url: str) -> None:
        if "down" in url:
            raise ConnectionRefusedError(111, "Connection refused")

    found = list(doctor.companions({"s3": "http://up", "sqs": "http://down"}, connect))
    assert [(item.subject, item.level.value) for item in found] == [("s3", "ok"), ("sqs", "weaker")]
    assert "connection refused" in found[1].detail


def test_directories_that_cannot_be_mounted_are_told(tmp_path):
    arn = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-{}"
    points = [AccessPoint(arn=arn.format(name), directory=f"/srv/{name}") for name in "ab"]

    def try_mount(point):
        if point.directory == "/srv/b":
            raise FileNotFoundError(2, "No such file or directory")

    good, bad = doctor.file_systems(points, try_mount)
    assert (good.level, good.detail) == (doctor.Level.OK, "/srv/a for fsap-a can be mounted")
    assert (bad.level, bad.detail) == (doctor.Level.WEAKER, "/srv/b for fsap-b: No such file or directory")
    lost = AccessPoint(arn=arn.format("c"), directory=str(tmp_path / "lost"))
    (found,) = doctor.file_systems([lost], doctor.try_mount)
    assert found.detail.endswith(": No such file or directory")
