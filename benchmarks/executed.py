"""Cold and warm invocations of runtimes that are executed and not forked: Ruby, Java."""

from __future__ import annotations

import io
import subprocess
import tempfile
import time
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import load
from ingle.settings import load as load_settings
from ingle.worker import families
from ingle.worker.families import family_of
from ingle.worker.interpreters import Interpreter

if TYPE_CHECKING:
    from benchmarks.__main__ import Bench

_RUBY = "def handler(event:, context:) = 'hello'\n"
_JAVA = """import com.amazonaws.services.lambda.runtime.*;
import java.util.Map;
public class H implements RequestHandler<Map<String, Object>, String> {
    public String handleRequest(Map<String, Object> event, Context context) { return "hello"; }
}
"""


def ruby(bench: Bench) -> None:
    for item in _found("ruby"):
        _measure(bench, item, "app.handler", {"app.rb": _RUBY.encode()}, [str(item.executable), "-e", "0"])


def java(bench: Bench) -> None:
    for item in _found("java"):
        family = family_of(item.runtime)
        installed = family and family.libraries(load_settings().runtimes_dir, item.runtime)
        if not installed:
            print(f"Ingle's Java runtime is not compiled: run `ingle runtimes install {item.runtime}`")
            continue
        _measure(
            bench, item, "H", _compile(item, installed.directory), [str(item.executable), "-Xshare:auto", "-version"]
        )


def _found(name: str) -> list[Interpreter]:
    found = [item for item in families.search(load_settings()).interpreters if item.runtime.startswith(name)]
    if not found:
        print(f"no interpreter for {name} runtimes here")
    return found


def _compile(item: Interpreter, runtime: Path) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "H.java").write_text(_JAVA)
        compiler = item.prefix / "bin/javac"
        subprocess.run([compiler, "-nowarn", "-cp", runtime / "ingle-runtime.jar", "H.java"], cwd=name, check=True)
        return {"H.class": Path(name, "H.class").read_bytes()}


def _measure(bench: Bench, item: Interpreter, handler: str, files: Mapping[str, bytes], bare: list[str]) -> None:
    """The interpreter's own start, cold starts with much and with little memory, and warm invocations."""
    count = 8 if bench.quick else 30
    bench.add(f"{item.runtime}: {' '.join(bare[1:])}", [_run_once(bare) for _ in range(count)])
    for memory_mb in (1769, 512, 128):
        times = []
        for _ in range(count):
            name = _function(bench, item.runtime, handler, files, memory_mb)
            request = load.invocation(bench.url, name)
            time.sleep(0.25)  # what prepares the next environment is not part of this cold start
            times += load.one_by_one(bench.url, [request])
        bench.add(f"{item.runtime}: cold start, hello, {memory_mb} MB", times)
        if memory_mb == 1769:
            load.one_by_one(bench.url, [request] * 500)
            bench.add(f"{item.runtime}: warm, 1 connection", load.one_by_one(bench.url, [request] * 2000))


def _run_once(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def _function(bench: Bench, runtime: str, handler: str, files: Mapping[str, bytes], memory_mb: int) -> str:
    """A new function whose package nobody has seen before, active."""
    name = f"bench-{uuid.uuid4().hex[:12]}"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, content in {**files, "name": name.encode()}.items():
            info = zipfile.ZipInfo(file)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    bench.client.create_function(
        FunctionName=name, Runtime=runtime, Handler=handler, MemorySize=memory_mb, Timeout=60,
        Role="arn:aws:iam::000000000000:role/bench", Code={"ZipFile": buffer.getvalue()},
    )  # fmt: skip
    bench.client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 2000}
    )
    return name
