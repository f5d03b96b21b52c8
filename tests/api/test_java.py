"""Functions in Java, through boto3: handlers, errors, output, limits, on each JDK that has Ingle's runtime."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingle.settings import load
from ingle.worker import families
from ingle.worker.families import java_libraries
from javac import JAVAC, compile_java

FOUND = {item.runtime: item for item in families.search(load()).interpreters if item.runtime.startswith("java")}
RUNTIMES = ["java8.al2", "java11", "java17", "java21", "java25"]

Deploy = Callable[..., str]
CALL = """public class H implements RequestHandler<Map<String, Object>, Object> {
    static int calls;
    static final List<byte[]> kept = new ArrayList<>();
    public Object handleRequest(Map<String, Object> event, Context context) {
        calls++;
        String what = (String) event.getOrDefault("do", "");
        switch (what) {
            case "exit": System.exit((Integer) event.get("status")); return null;
            case "sleep": try { Thread.sleep(60_000); } catch (InterruptedException e) { } return null;
            case "fill": while (true) kept.add(new byte[1 << 20]);
            case "halt": Runtime.getRuntime().halt(3); return null;
            case "throw": throw new IllegalStateException("as asked");
            case "env": return System.getenv();
            case "properties": return System.getProperties();
            case "memory": return Runtime.getRuntime().maxMemory() >> 20;
            case "print": System.out.println("one\\ntwo"); System.err.println("three");
                context.getLogger().log("four\\nfive"); return null;
            case "read": try (Scanner in = new Scanner(new File((String) event.get("path"))).useDelimiter("\\\\A")) {
                return in.next(); } catch (IOException e) { return e.toString(); }
            default: return Arrays.asList(calls, context.getAwsRequestId(), event);
        }
    }
}"""


def jar_of(runtime: str) -> Path:
    return java_libraries.directory(load().runtimes_dir, runtime) / java_libraries.JAR


def unusable(runtime: str) -> str | None:
    """Why functions of a runtime cannot be tested here."""
    if runtime not in FOUND:
        return f"no Java for {runtime} on this machine"
    if java_libraries.installed(load().runtimes_dir, runtime) is None:
        return f"Ingle's Java runtime is not compiled: run `ingle runtimes install {runtime}`"
    return "no javac on the path" if JAVAC is None else None


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    if reason := unusable(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture
def newest() -> str:
    """One runtime that works here: what does not differ between versions is tested once."""
    usable = [name for name in RUNTIMES if unusable(name) is None]
    if not usable:
        pytest.skip(unusable(RUNTIMES[2]) or "")
    return usable[0]


@pytest.fixture
def deploy(function: Callable[..., str]) -> Deploy:
    """`deploy(runtime, files)`: the name of a function made from Java sources."""

    def create(runtime: str, files: str | dict[str, str], handler: str = "H", **settings: Any) -> str:
        sources = {"H": files} if isinstance(files, str) else files
        classes = compile_java(jar_of(runtime), sources)
        return function(
            {**classes, **settings.pop("more", {})}, Runtime=runtime, Handler=handler,
            **{"MemorySize": 512, "Timeout": 20, **settings},
        )  # fmt: skip

    return create


@pytest.fixture
def call(lambda_client: Any) -> Callable[..., Any]:
    def invoke(name: str, event: Any = None, **params: Any) -> Any:
        answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail", **params)
        document = json.loads(answer["Payload"].read() or "null")
        log = base64.b64decode(answer["LogResult"]).decode()
        return document, answer.get("FunctionError"), log

    return invoke


class TestEveryJava:
    def test_runs_and_keeps_its_process(self, deploy: Deploy, call: Callable[..., Any], runtime: str) -> None:
        name = deploy(runtime, CALL)
        (first, _, log), (second, _, _) = call(name, {"ü": [1]}), call(name, {"b": None})
        assert (first[0], first[2], second[0], second[2]) == (1, {"ü": [1]}, 2, {"b": None})
        assert first[1] in log

    def test_the_machine_is_that_of_the_runtime(self, deploy: Deploy, call: Callable[..., Any], runtime: str) -> None:
        name = deploy(runtime, CALL)
        properties, _, _ = call(name, {"do": "properties"})
        assert properties["java.version"] == FOUND[runtime].version
        assert (properties["java.home"].rstrip("/"), properties["user.dir"]) == ("/var/lang", "/var/task")
        heap, _, _ = call(name, {"do": "memory"})
        assert 400 <= heap <= 436

    def test_errors_carry_type_trace_and_log(self, deploy: Deploy, call: Callable[..., Any], runtime: str) -> None:
        document, error, log = call(deploy(runtime, CALL), {"do": "throw"})
        assert error == "Unhandled"
        assert (document["errorType"], document["errorMessage"]) == ("java.lang.IllegalStateException", "as asked")
        assert document["stackTrace"][0].startswith("H.handleRequest(H.java:")
        assert "as asked: java.lang.IllegalStateException\njava.lang.IllegalStateException: as asked\n\tat H." in log


class TestHandlers:
    def test_a_package_as_a_jar_with_a_library(
        self, function: Callable[..., str], lambda_client: Any, call: Callable[..., Any], newest: str
    ) -> None:
        library = compile_java(jar_of(newest), {"tools/Text": 'public class Text { public static String UP = "UP"; }'})
        source = """public class H { public String go(String event) throws Exception {
            return event + Class.forName("tools.Text").getField("UP").get(null);
        } }"""
        classes = compile_java(jar_of(newest), {"app/H": source})
        inner, buffer = io.BytesIO(), io.BytesIO()
        for target, files in ((inner, library), (buffer, {**classes, "lib/tools.jar": b""})):
            with zipfile.ZipFile(target, "w") as archive:
                for name, content in files.items():
                    archive.writestr(name, inner.getvalue() if name.endswith(".jar") else content)
        name = function({}, Runtime=newest, Handler="app.H::go", Code={"ZipFile": buffer.getvalue()}, MemorySize=256)
        answer = lambda_client.invoke(FunctionName=name, Payload='"x"')
        assert json.load(answer["Payload"]) == "xUP"

    def test_a_class_that_is_missing_is_told_to_every_invocation(
        self, deploy: Deploy, call: Callable[..., Any], newest: str
    ) -> None:
        name = deploy(newest, CALL, "absent.H")
        for _ in range(2):
            document, error, log = call(name)
            assert error == "Unhandled"
            assert document == {"errorMessage": "Class not found: absent.H",
                                "errorType": "java.lang.ClassNotFoundException"}  # fmt: skip
            assert "Class not found: absent.H: java.lang.ClassNotFoundException\n" in log

    def test_an_initialiser_that_fails(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        source = 'public class H { public H() { throw new IllegalStateException("bad"); } public void go() {} }'
        document, error, log = call(deploy(newest, source, "H::go"))
        assert error == "Unhandled"
        assert document == {"errorMessage": "bad", "errorType": "java.lang.IllegalStateException"}
        assert "INIT_REPORT" in log or "Status: error\tError Type: Runtime.Unknown" in log


class TestLimits:
    def test_an_exit_and_what_follows(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        name = deploy(newest, CALL)
        document, error, _ = call(name, {"do": "exit", "status": 7})
        assert (error, document["errorType"]) == ("Unhandled", "Runtime.ExitError")
        assert document["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")
        assert call(name)[0][0] == 1

    def test_an_exit_with_status_0(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        document, _, _ = call(deploy(newest, CALL), {"do": "exit", "status": 0})
        assert document["errorMessage"].endswith("Error: Runtime exited without providing a reason")

    def test_a_time_out(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        name = deploy(newest, CALL, Timeout=1)
        document, error, log = call(name, {"do": "sleep"})
        assert (error, document["errorType"]) == ("Unhandled", "Sandbox.Timedout")
        assert document["errorMessage"].endswith("Task timed out after 1.00 seconds")
        assert "Status: timeout" in log

    def test_a_heap_that_is_full(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        name = deploy(newest, CALL, MemorySize=256)
        document, error, _ = call(name, {"do": "fill"})
        assert (error, document["errorType"]) == ("Unhandled", "java.lang.OutOfMemoryError")
        assert call(name)[0][0] == 1

    def test_the_smallest_memory_is_enough(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        assert call(deploy(newest, CALL, MemorySize=128))[0][0] == 1


class TestVariables:
    def test_those_of_java(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        variables, _, _ = call(deploy(newest, CALL), {"do": "env"})
        assert variables["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{newest}"
        assert (variables["LAMBDA_TASK_ROOT"], variables["LAMBDA_RUNTIME_DIR"]) == ("/var/task", "/var/runtime")
        assert not {"PWD", "SHLVL", "_X_AMZN_TRACE_ID"} & set(variables)

    def test_options_of_the_functions_own_win(self, deploy: Deploy, call: Callable[..., Any], newest: str) -> None:
        variables = {"JAVA_TOOL_OPTIONS": "-Xmx100m -Dmine=yes"}
        name = deploy(newest, CALL, Environment={"Variables": variables})
        assert call(name, {"do": "memory"})[0] <= 100
        assert call(name, {"do": "properties"})[0]["mine"] == "yes"

    def test_a_wrapper_puts_options_before_the_class(
        self, deploy: Deploy, call: Callable[..., Any], newest: str
    ) -> None:
        script = '#!/bin/bash\nargs=("$@")\nexec "${args[@]:0:$#-1}" -Dwrapped=yes "${args[@]: -1}"\n'
        name = deploy(newest, CALL, more={"wrap": script},
                      Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}})  # fmt: skip
        assert call(name, {"do": "properties"})[0]["wrapped"] == "yes"


def test_lines_and_events(deploy: Deploy, call: Callable[..., Any], logs_client: Any, newest: str) -> None:
    name = deploy(newest, CALL)
    call(name, {"do": "print"})
    events = logs_client.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    messages = [event["message"] for event in events]
    start = next(index for index, message in enumerate(messages) if message.startswith("START"))
    end = next(index for index, message in enumerate(messages) if message.startswith("END"))
    assert [message.rstrip("\n") for message in messages[start + 1 : end]] == ["one", "two", "three", "four\nfive"]
    assert messages[0].startswith(f"INIT_START Runtime Version: java:{newest.removeprefix('java')}.v1\t")


def test_a_java_that_is_not_here(
    lambda_client: Any, function: Callable[..., str], zip_of: Callable[..., bytes]
) -> None:
    missing = next((name for name in RUNTIMES if name not in FOUND), None)
    if missing is None:
        pytest.skip("this machine has every Java")
    name = f"missing-{missing.replace('.', '-')}"
    lambda_client.create_function(FunctionName=name, Runtime=missing, Handler="H", Code={"ZipFile": zip_of({"H": "x"})},
                                  Role="arn:aws:iam::000000000000:role/r")  # fmt: skip
    deadline = time.monotonic() + 20
    while (configuration := lambda_client.get_function_configuration(FunctionName=name))["State"] == "Pending":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert configuration["State"] == "Failed"
    assert "Install a JDK" in configuration["StateReason"]
    lambda_client.delete_function(FunctionName=name)
