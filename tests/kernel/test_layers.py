"""Layers inside environments, at every strength of isolation: what is at `/opt`, and what finds it there."""

from __future__ import annotations

import io
import itertools
import os
import stat
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed, library
from served import package

pytestmark = pytest.mark.kernel

_numbers = itertools.count(1)
MODULE = "NAME = %r\n"


def publish(sandboxed: Sandboxed, files: Mapping[str, str | bytes]) -> str:
    """The ARN of a new layer with these files."""
    answer = sandboxed.client.publish_layer_version(
        LayerName=f"layer-{next(_numbers)}", Content={"ZipFile": package(files)}
    )
    arn: str = answer["LayerVersionArn"]
    return arn


def create(sandboxed: Sandboxed, *layers: Mapping[str, str | bytes], **settings: Any) -> str:
    """A probe function with new layers of these files."""
    arns = [publish(sandboxed, files) for files in layers]
    return sandboxed.create({"app.py": PROBE}, Layers=arns, **settings)


#: Where the layers are: elsewhere than at /opt in plain processes, which the function learns from its variables.
OPT = "opt = os.environ['PATH'].split(':')[-1].removesuffix('/bin'); "


def test_later_layers_lie_over_earlier_ones(sandboxed: Sandboxed) -> None:
    name = create(
        sandboxed,
        {"data/a": "1", "data/b": "1", "python/mine.py": MODULE % "first", "was-a-file": "", "was-a-directory/x": ""},
        {"data/b": "2", "data/c": "2", "was-a-file/inner": "2", "was-a-directory": "2"},
        {"data/c": "3", "python/mine.py": MODULE % "third"},
    )
    code = (
        OPT
        + """
result = {name: read(opt + "/" + name) for name in
          ("data/a", "data/b", "data/c", "was-a-file/inner", "was-a-directory")}
import mine
result["mine"] = mine.NAME
"""
    )
    assert sandboxed.probe(code, function=name) == {
        "data/a": "1", "data/b": "2", "data/c": "3", "was-a-file/inner": "2", "was-a-directory": "2", "mine": "third",
    }  # fmt: skip
    code = OPT + "result = sorted(os.listdir(opt))"
    assert sandboxed.probe(code, function=name) == ["data", "python", "was-a-directory", "was-a-file"]


def test_the_order_of_layers_decides(sandboxed: Sandboxed) -> None:
    one, two = (publish(sandboxed, {"python/mine.py": MODULE % name}) for name in ("one", "two"))
    code = "import mine; result = mine.NAME"
    for layers, expected in (([one, two], "two"), ([two, one], "one"), ([one], "one")):
        name = sandboxed.create({"app.py": PROBE}, Layers=layers)
        assert sandboxed.probe(code, function=name) == expected


def test_modules_are_found_behind_those_of_the_package(sandboxed: Sandboxed) -> None:
    specific = "python/lib/python3.11/site-packages"
    layer = {
        f"{specific}/both.py": MODULE % "specific", "python/both.py": MODULE % "general",
        "python/only.py": MODULE % "general", "python/mine.py": MODULE % "layer",
        f"{specific}/deep/__init__.py": "", f"{specific}/deep/inner.py": MODULE % "deep",
        "python/lib/python3.12/site-packages/other.py": MODULE % "another interpreter's",
    }  # fmt: skip
    arn = publish(sandboxed, layer)
    name = sandboxed.create({"app.py": PROBE, "mine.py": MODULE % "package"}, Layers=[arn])
    code = """
import both, only, mine, deep.inner, importlib.util
result = [both.NAME, only.NAME, mine.NAME, deep.inner.NAME, importlib.util.find_spec("other")]
"""
    assert sandboxed.probe(code, function=name) == ["specific", "general", "package", "deep", None]


@pytest.mark.parametrize("place", ["python", "python/lib/python3.11/site-packages"])
@pytest.mark.parametrize("module", ["random", "urllib3", "botocore"])
def test_a_layer_may_bring_its_own_copy_of_what_the_runtime_has(sandboxed: Sandboxed, module: str, place: str) -> None:
    """`random` is imported in every zygote, the others in the one with the SDK: none may hide the layer's."""
    layer = {f"{place}/{module}/__init__.py": "NAME = 'mine'  # unlike that of boto3"}
    name = create(sandboxed, layer, {"other": ""})
    assert sandboxed.probe(f"import {module}; result = {module}.NAME", function=name) == "mine"


@pytest.mark.parametrize("more", [{"other": ""}, {"lib/some": ""}])
def test_a_layer_that_uses_the_sdk_finds_it(sandboxed: Sandboxed, more: dict[str, str]) -> None:
    """However the runtime is started: forked from the one zygote or the other, or executed."""
    sandboxed.require_sdk("python3.11")
    layer = {"python/mine.py": "import boto3.session\nNAME = boto3.session.__name__\n"}
    name = create(sandboxed, layer, more)
    assert sandboxed.probe("import mine; result = mine.NAME", function=name) == "boto3.session"


def test_programs_and_libraries_are_found(sandboxed: Sandboxed, tmp_path: Path) -> None:
    name = create(sandboxed, {"bin/mine": "#!/bin/sh\necho ran\n"}, {"lib/libmine.so": library(tmp_path)})
    code = "result = subprocess.run(['mine'], capture_output=True, text=True).stdout"
    assert sandboxed.probe(code, function=name) == "ran\n"
    assert sandboxed.probe("result = ctypes.CDLL('libmine.so').mine()", function=name) == 42


def test_what_is_at_opt_cannot_be_changed(walled: Sandboxed) -> None:
    name = create(walled, {"data/a": "1"}, {"data/b": "2"})
    code = """
result = [attempt(write, "/opt/data/a"), attempt(write, "/opt/new"), attempt(os.remove, "/opt/data/b"),
          attempt(os.chmod, "/opt/data/a", 0o777), read("/opt/data/a")]
"""
    assert walled.probe(code, function=name) == ["EROFS", "EROFS", "EROFS", "EROFS", "1"]


def test_functions_do_not_see_each_others_layers(walled: Sandboxed) -> None:
    create(walled, {"secret": "1"}, {"other-secret": "1"})
    code = "result = [os.listdir('/opt'), os.path.exists('/run/packages')]"
    assert walled.probe(code, function=walled.create({"app.py": PROBE})) == [["lib"], False]
    mine = create(walled, {"mine": "1"})
    assert walled.probe(code, function=mine) == [["mine"], False]


def test_modes_and_links_come_from_the_zip(sandboxed: Sandboxed) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, mode, content in (
            ("plain", stat.S_IFREG | 0o644, "x"), ("program", stat.S_IFREG | 0o755, "x"),
            ("link", stat.S_IFLNK | 0o777, "plain"), ("way-out", stat.S_IFLNK | 0o777, "/etc/hostname"),
        ):  # fmt: skip
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    answer = sandboxed.client.publish_layer_version(
        LayerName=f"layer-{next(_numbers)}", Content={"ZipFile": buffer.getvalue()}
    )
    name = sandboxed.create({"app.py": PROBE}, Layers=[answer["LayerVersionArn"], publish(sandboxed, {"another": "x"})])
    code = (
        OPT
        + """
modes = {name: oct(os.lstat(opt + "/" + name).st_mode) for name in ("plain", "program", "link")}
result = [modes, os.readlink(opt + "/link"), read(opt + "/link"), os.readlink(opt + "/way-out")]
"""
    )
    assert sandboxed.probe(code, function=name) == [
        {"plain": "0o100644", "program": "0o100755", "link": "0o120777"}, "plain", "x", "/etc/hostname",
    ]  # fmt: skip


def test_a_wrapper_from_a_layer(walled: Sandboxed) -> None:
    script = '#!/bin/sh\nexport FROM_WRAPPER=yes\nexec "$@"\n'
    name = create(
        walled, {"wrapper": script, "python/mine.py": MODULE % "layer"}, {"other": ""},
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}},
    )  # fmt: skip
    code = "import mine; result = [os.environ['FROM_WRAPPER'], mine.NAME]"
    assert walled.probe(code, function=name) == ["yes", "layer"]


BOOTSTRAP = """#!/var/lang/bin/python3.11
import http.client, json, os

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    poll = api.getresponse()
    poll.read()
    path = "/2018-06-01/runtime/invocation/%s/response" % poll.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", path, json.dumps([__file__, os.getcwd()]))
    api.getresponse().read()
"""


def test_a_custom_runtime_may_come_from_a_layer(walled: Sandboxed) -> None:
    def created(files: Mapping[str, str | bytes], *layers: Mapping[str, str | bytes]) -> str:
        arns = [publish(walled, layer) for layer in layers]
        return walled.create(files, Runtime="provided.al2023", Layers=arns)

    name = created({"data": "x"}, {"other": "x"}, {"bootstrap": BOOTSTRAP})
    assert walled.call(name) == ["/opt/bootstrap", "/var/task"]
    name = created({"bootstrap": BOOTSTRAP}, {"bootstrap": "#!/bin/false\n"})
    assert walled.call(name) == ["/var/task/bootstrap", "/var/task"]
    with pytest.raises(FunctionFailed) as raised:
        walled.call(created({"data": "x"}, {"other": "x"}))
    assert raised.value.kind == "Runtime.InvalidEntrypoint"


def test_layers_stay_in_place_when_a_runtime_starts_again(sandboxed: Sandboxed) -> None:
    name = create(sandboxed, {"python/mine.py": MODULE % "layer"}, {"data": "1"})
    with pytest.raises(FunctionFailed):
        sandboxed.probe("os._exit(1)", function=name)
    assert sandboxed.probe("import mine; result = mine.NAME", function=name) == "layer"


def test_trees_are_shared_and_go_with_their_last_user(sandboxed: Sandboxed) -> None:
    packages = sandboxed.server.data_dir / "packages"

    def trees() -> set[str]:
        return {name for name in os.listdir(packages) if not name.startswith(".")}

    before = trees()
    content = os.urandom(16)
    arns = [publish(sandboxed, {"python/mine.py": f"NAME = {name!r} + {content!r}.hex()"}) for name in "ab"]
    names = [sandboxed.create({"app.py": PROBE, "salt": content}, Layers=arns) for _ in range(2)]
    for name in names:
        assert sandboxed.probe("import mine; result = mine.NAME", function=name) == "b" + content.hex()
    assert len(trees() - before) == 4  # the code, two layers, and what these make together
    for arn in arns:
        sandboxed.client.delete_layer_version(LayerName=arn.split(":")[6], VersionNumber=1)
    for name in names:
        assert sandboxed.probe("import mine; result = mine.NAME", function=name) == "b" + content.hex()
        sandboxed.client.delete_function(FunctionName=name)
    # The server looks for what nobody needs every few seconds.
    for _ in range(300):
        if trees() <= before:
            break
        time.sleep(0.1)
    assert trees() <= before
