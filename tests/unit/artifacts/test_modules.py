"""Which modules a package brings."""

from __future__ import annotations

import pytest

from ingle.artifacts.modules import top_level_modules


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app.py", "app"),
        ("app.pyc", "app"),
        ("_speed.so", "_speed"),
        ("_speed.abi3.so", "_speed"),
        ("_speed.cpython-312-x86_64-linux-gnu.so", "_speed"),
        ("boto3/__init__.py", "boto3"),
        ("boto3/", "boto3"),
        ("link", "link"),
    ],
)
def test_importable_from_the_root(path: str, name: str):
    assert top_level_modules([path]) == {name}


@pytest.mark.parametrize("path", ["README.md", "requests-2.0.dist-info/METADATA", "my-app.py", "data.json"])
def test_not_importable(path: str):
    assert top_level_modules([path]) == frozenset()


def test_a_folder_named_python_is_a_module_like_any_other():
    assert top_level_modules(["python/boto3/__init__.py"]) == {"python"}
