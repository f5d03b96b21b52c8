"""Cold and warm invocations of runtimes that are executed and not forked: Node.js, Ruby, Java."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import load
from benchmarks.bench import Bench, Files
from ingle.settings import load as load_settings
from ingle.worker import families
from ingle.worker.families import family_of
from ingle.worker.interpreters import Interpreter

_NODE = "exports.handler = async () => 'hello';\n"
_NODE_CLIENT = """const { S3Client } = require('@aws-sdk/client-s3');
const client = new S3Client({ region: 'us-east-1' });
exports.handler = async () => 'hello';
"""
_RUBY = "def handler(event:, context:) = 'hello'\n"
_JAVA = """import com.amazonaws.services.lambda.runtime.*;
import java.util.Map;
public class H implements RequestHandler<Map<String, Object>, String> {
    public String handleRequest(Map<String, Object> event, Context context) { return "hello"; }
}
"""


def nodejs(bench: Bench) -> None:
    """Cold starts of Node.js functions beside the interpreter's own start; and warm invocations."""
    nodes = found("nodejs")
    if not nodes:
        print("run `ingle runtimes install nodejs22.x`")
        return
    node = nodes[-1]
    times = bench.times(10, 40)
    bench.add(f"{node.runtime}: node -e 0", [_run_once([str(node.executable), "-e", "0"]) for _ in times])
    executed = {"Environment": {"Variables": {"NODE_OPTIONS": "--no-warnings"}}}
    for label, source, settings, budget in (
        ("cold start, hello", _NODE, {}, "p50 <= 60"),
        ("cold start, hello, executed", _NODE, executed, ""),
        ("cold start, AWS SDK and a client", _NODE_CLIENT, {}, ""),
    ):
        cold = []
        for _ in times:
            name = bench.function({"app.js": source}, runtime=node.runtime, **settings)
            cold.append(_first(bench, name))
        bench.add(f"{node.runtime}: {label}, 1769 MB", cold, budget)
    _warm(bench, node, name, 200)


def ruby(bench: Bench) -> None:
    for item in found("ruby"):
        _measure(bench, item, "app.handler", {"app.rb": _RUBY}, [str(item.executable), "-e", "0"])


def java(bench: Bench) -> None:
    for item in found("java"):
        family = family_of(item.runtime)
        installed = family and family.libraries(load_settings().runtimes_dir, item.runtime)
        if not installed:
            print(f"Ingle's Java runtime is not compiled: run `ingle runtimes install {item.runtime}`")
            continue
        bare = [str(item.executable), "-Xshare:auto", "-version"]
        _measure(bench, item, "H", _compile(item, installed.directory), bare)


def found(name: str) -> list[Interpreter]:
    found = [item for item in families.search(load_settings()).interpreters if item.runtime.startswith(name)]
    if not found:
        print(f"no interpreter for {name} runtimes here")
    return found


def _compile(item: Interpreter, runtime: Path) -> Files:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "H.java").write_text(_JAVA)
        compiler = item.prefix / "bin/javac"
        subprocess.run([compiler, "-nowarn", "-cp", runtime / "ingle-runtime.jar", "H.java"], cwd=name, check=True)
        return {"H.class": Path(name, "H.class").read_bytes()}


def _measure(bench: Bench, item: Interpreter, handler: str, files: Files, bare: list[str]) -> None:
    """The interpreter's own start, cold starts with much and with little memory, and warm invocations."""
    times = bench.times(8, 30)
    bench.add(f"{item.runtime}: {' '.join(bare[1:])}", [_run_once(bare) for _ in times])
    for memory_mb in (1769, 512, 128):
        cold = []
        for _ in times:
            name = bench.function(files, memory_mb, runtime=item.runtime, handler=handler)
            cold.append(_first(bench, name))
        bench.add(f"{item.runtime}: cold start, hello, {memory_mb} MB", cold)
        if memory_mb == 1769:
            _warm(bench, item, name, 500)


def _run_once(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def _first(bench: Bench, name: str) -> float:
    """The cold start of a function that was just made."""
    request = load.invocation(bench.url, name)
    time.sleep(0.25)  # what prepares the next environment is not part of this cold start
    return load.one_by_one(bench.url, [request])[0]


def _warm(bench: Bench, item: Interpreter, name: str, before: int) -> None:
    request = load.invocation(bench.url, name)
    load.one_by_one(bench.url, [request] * before)
    bench.add(f"{item.runtime}: warm, 1 connection", load.one_by_one(bench.url, [request] * 2000))
