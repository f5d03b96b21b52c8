"""Which modules layers bring, and whether they may use the SDK."""

from __future__ import annotations

from pathlib import Path

from ingle.worker.families.python_sdk_use import may_use_sdk
from ingle.worker.layer_contents import layer_modules


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("import boto3\n" if "sdk" in path else "")
    return root


def test_modules_where_the_runtime_looks_for_them(tmp_path: Path) -> None:
    make(
        tmp_path, "python/one.py", "python/two/__init__.py", "python/three.cpython-312-x86_64-linux-gnu.so",
        "python/lib/python3.12/site-packages/four/x.py", "python/lib/python3.11/site-packages/five.py",
        "python/no-name.py", "top.py", "other/six.py",
    )  # fmt: skip
    assert layer_modules(tmp_path, "python3.12") == {"one", "two", "three", "lib", "four"}
    assert layer_modules(tmp_path, "python3.11") == {"one", "two", "three", "lib", "five"}


def test_layers_without_python(tmp_path: Path) -> None:
    make(tmp_path, "bin/tool", "python")
    assert layer_modules(tmp_path, "python3.12") == frozenset()
    assert layer_modules(tmp_path / "absent", "python3.12") == frozenset()


def test_a_layer_may_use_the_sdk_where_the_package_does_not(tmp_path: Path) -> None:
    code = make(tmp_path / "code", "app.py")
    layers = make(tmp_path / "layers", "python/deep/sdk.py")
    assert not may_use_sdk(code)
    assert may_use_sdk(code, layers / "python")
    assert not may_use_sdk(code, layers / "absent")
