"""Groups of both versions in directories that imitate them.

The files hold what is written; what the kernel would do with it is not imitated, but that a directory of a group can be
removed although the kernel's files are in it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ingle.sandbox import cgroups
from ingle.sandbox.cgroups import CgroupTree, Hierarchy

V2_FILES = ("cgroup.procs", "cgroup.freeze", "cgroup.kill", "cgroup.subtree_control", "memory.max", "memory.swap.max",
            "memory.current", "memory.peak", "memory.events", "cpu.max", "pids.max")  # fmt: skip
V1_FILES = {
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"),
    "pids": ("pids.max",),
    "cpu": ("cpu.cfs_quota_us", "cpu.cfs_period_us"),
    "freezer": ("freezer.state",),
}


@pytest.fixture(autouse=True)
def _kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Making a directory makes its files; removing it removes them."""
    make = Path.mkdir

    def mkdir(path: Path, *arguments: object, **more: object) -> None:
        make(path, *arguments, **more)  # type: ignore[arg-type]
        if tmp_path in path.parents:
            kind = path.relative_to(tmp_path).parts[0]
            for name in V2_FILES if kind == "unified" else ("cgroup.procs", *V1_FILES[kind]):
                (path / name).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", shutil.rmtree)


def unified(tmp_path: Path, *controllers: str) -> Hierarchy:
    directory = tmp_path / "unified"
    directory.mkdir(parents=True)
    return Hierarchy(directory=directory, version=2, controllers=frozenset(controllers))


def version_1(tmp_path: Path, controller: str) -> Hierarchy:
    directory = tmp_path / controller
    directory.mkdir(parents=True)
    return Hierarchy(directory=directory, version=1, controllers=frozenset({controller}))


def test_version_2_alone_limits_everything(tmp_path: Path) -> None:
    tree = CgroupTree([unified(tmp_path, "memory", "cpu", "pids")], "ingle-1")
    tree.prepare()
    assert tree.controllers == {"memory", "cpu", "pids", "freezer"}
    assert (tmp_path / "unified/cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (tmp_path / "unified/ingle-1/cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    group = tree.create("e1")
    group.limit_memory(128)
    group.prepare_quota()
    path = tmp_path / "unified/ingle-1/e1"
    assert (path / "memory.max").read_text() == str(128 << 20)
    assert (path / "memory.swap.max").read_text() == "0"
    assert (path / "pids.max").read_text() == "1024"
    handles = {handle.purpose: (handle.path.name, handle.writable) for handle in group.handles()}
    assert handles == {
        "used": ("memory.current", False), "peak": ("memory.peak", False), "oom": ("memory.events", False),
        "quota": ("cpu.max", True), "freeze": ("cgroup.freeze", True),
    }  # fmt: skip
    group.kill()
    assert (path / "cgroup.kill").read_text() == "1"
    assert group.remove()
    assert not path.exists()


def test_version_2_without_controllers_freezes_beside_version_1(tmp_path: Path) -> None:
    hierarchies = [version_1(tmp_path, name) for name in ("memory", "cpu", "pids", "freezer")] + [unified(tmp_path)]
    tree = CgroupTree(hierarchies, "ingle-1")
    tree.prepare()
    assert tree.controllers == {"memory", "cpu", "pids", "freezer"}
    group = tree.create("e1")
    group.limit_memory(256)
    assert (tmp_path / "memory/ingle-1/e1/memory.limit_in_bytes").read_text() == str(256 << 20)
    assert not (tmp_path / "freezer/ingle-1").exists()
    frozen = [handle.path for handle in group.handles() if handle.purpose == "freeze"]
    assert frozen == [tmp_path / "unified/ingle-1/e1/cgroup.freeze"]


def test_version_1_alone_freezes_by_its_own_controller(tmp_path: Path) -> None:
    tree = CgroupTree([version_1(tmp_path, "freezer")], "ingle-1")
    tree.prepare()
    group = tree.create("e1")
    assert [handle.path.name for handle in group.handles()] == ["freezer.state"]
    group.thaw()
    assert (tmp_path / "freezer/ingle-1/e1/freezer.state").read_text() == "THAWED"


def test_no_hierarchy_means_no_limits_and_no_errors() -> None:
    tree = CgroupTree([], "ingle-1")
    tree.prepare()
    group = tree.create("e1")
    group.limit_memory(128)
    group.thaw()
    group.kill()
    assert (tree.controllers, group.paths, group.handles(), group.join_descriptors()) == (set(), [], [], [])
    assert group.remove()


def test_what_a_crash_left_is_thawed_killed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchy = unified(tmp_path, "memory")
    left = tmp_path / "unified/ingle-1/e7"
    left.mkdir(parents=True)
    (left / "cgroup.freeze").write_text("1")
    written: list[tuple[str, str]] = []
    write = cgroups._write

    def record(path: Path, text: str) -> None:
        written.append((path.name, text))
        write(path, text)

    monkeypatch.setattr(cgroups, "_write", record)
    CgroupTree([hierarchy], "ingle-1").prepare()
    assert not left.exists()
    there = [(name, text) for name, text in written if name in V2_FILES]
    assert there == [("cgroup.freeze", "0"), ("cgroup.kill", "1")]


def test_a_group_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = CgroupTree([version_1(tmp_path, "memory"), version_1(tmp_path, "pids")], "ingle-1")
    tree.prepare()
    monkeypatch.setattr(cgroups.Cgroup, "limit_processes", lambda self: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        tree.create("e1")
    assert not (tmp_path / "memory/ingle-1/e1").exists()
    assert not (tmp_path / "pids/ingle-1/e1").exists()


def test_leftovers_of_every_hierarchy_are_thawed_before_any_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hierarchies = [version_1(tmp_path, name) for name in ("memory", "freezer")]
    for name in ("memory", "freezer"):
        (tmp_path / name / "ingle-1/e7").mkdir(parents=True)
    steps: list[str] = []
    for step in ("_thaw", "_kill", "remove"):
        work = getattr(cgroups, step)

        def record(path: Path, *more: float, step: str = step, work: Any = work) -> None:
            steps.append(step)
            work(path, *more)

        monkeypatch.setattr(cgroups, step, record)
    CgroupTree(hierarchies, "ingle-1").prepare()
    assert steps == ["_thaw", "_thaw", "_kill", "_kill", "remove", "remove"]
    assert not [*tmp_path.glob("*/ingle-1/e7")]
