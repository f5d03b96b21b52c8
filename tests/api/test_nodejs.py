"""Node.js functions as their authors write them: every kind of handler, errors, logs, packages and the AWS SDK."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from ingle.settings import load
from ingle.worker import families

SETTINGS = load()
FOUND = {item.runtime: item for item in families.search(SETTINGS).interpreters if item.runtime.startswith("nodejs")}
WITH_CALLBACKS = [runtime for runtime in FOUND if runtime in ("nodejs18.x", "nodejs20.x", "nodejs22.x")]
DEADLINE_SECONDS = 20

pytestmark = pytest.mark.skipif(not FOUND, reason="no Node.js here: run `ingle runtimes install nodejs22.x`")

Files = str | dict[str, str | bytes]


class Failed(AssertionError):
    """The invocation ended in a function error."""

    def __init__(self, document: dict[str, Any], log: str) -> None:
        super().__init__(json.dumps(document) + log)
        self.kind, self.message = document["errorType"], document["errorMessage"]
        self.trace, self.log = document.get("trace"), log


@pytest.fixture(params=list(FOUND) or ["none"])
def runtime(request: Any) -> str:
    return request.param


@pytest.fixture
def node(function: Callable[..., str], runtime: str) -> Callable[..., str]:
    """`node(source or files, **settings)`: the name of a new function; source alone is index.js."""

    def create(files: Files, **settings: Any) -> str:
        given = {"index.js": files} if isinstance(files, str) else files
        return function(given, **{"Runtime": runtime, "Handler": "index.handler", "Timeout": 10, **settings})

    return create


@pytest.fixture
def call(lambda_client: Any) -> Callable[..., Any]:
    """`call(name, event)`: (result, log tail). Raises Failed."""

    def invoke(name: str, event: Any = None, **more: Any) -> tuple[Any, str]:
        answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **more)
        document = json.loads(answer["Payload"].read())
        log = base64.b64decode(answer["LogResult"]).decode()
        if "FunctionError" in answer:
            assert answer["FunctionError"] == "Unhandled"
            raise Failed(document, log)
        return document, log

    return invoke


@pytest.fixture
def fails(node: Callable[..., str], call: Callable[..., Any]) -> Callable[..., Failed]:
    """`fails(files, event, **settings)`: how the invocation of a function made from them ends."""

    def failure(files: Files, event: Any = None, **settings: Any) -> Failed:
        with pytest.raises(Failed) as raised:
            call(node(files, **settings), event)
        return raised.value

    return failure


def messages(logs_client: Any, name: str) -> list[str]:
    """All log events of a function, once the REPORT line is there."""
    until = time.monotonic() + DEADLINE_SECONDS
    while True:
        events = logs_client.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        found = [event["message"] for event in events]
        if any(message.startswith("REPORT ") for message in found) or time.monotonic() > until:
            return found
        time.sleep(0.05)


def needs_callbacks(runtime: str) -> None:
    if runtime not in WITH_CALLBACKS:
        pytest.skip("from Node.js 24 on there are no callbacks")


# --- handlers ---------------------------------------------------------------------------------------------------------

RETURNS = "async (event) => ({ got: event })"


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"index.js": f"exports.handler = {RETURNS};"}, "index.handler"),
        ({"index.cjs": f"exports.handler = {RETURNS};"}, "index.handler"),
        ({"index.mjs": f"export const handler = {RETURNS};"}, "index.handler"),
        ({"index.js": f"export const handler = {RETURNS};", "package.json": '{"type": "module"}'}, "index.handler"),
        ({"a/b/app.js": f"exports.run = {RETURNS};"}, "a/b/app.run"),
        ({"a/app.js": f"export const run = {RETURNS};", "a/package.json": '{"type": "module"}'}, "a/app.run"),
        ({"app.js": f"exports.deep = {{ down: {{ run: {RETURNS} }} }};"}, "app.deep.down.run"),
        ({"app.mjs": f"export default {{ run: {RETURNS} }};"}, "app.default.run"),
        ({"app": f"exports.run = {RETURNS};"}, "app.run"),
        ({"node_modules/lib/index.js": f"exports.run = {RETURNS};"}, "lib.run"),
        ({"index.mjs": f"const f = await Promise.resolve({RETURNS}); export {{ f as handler }};"}, "index.handler"),
        ({"index.js": "exports.handler = { then: null }; exports.handler = function () { return this_(arguments[0]); };"
                      "async function this_(event) { return { got: event }; }"}, "index.handler"),
    ],
    ids=["js", "cjs", "mjs", "type module", "directories", "type module below", "nested", "default", "no extension",
         "package", "top-level await", "function"],
)  # fmt: skip
def test_handlers_in_every_place(node, call, files, handler):
    name = node(files, Handler=handler)
    assert call(name, {"n": 1})[0] == {"got": {"n": 1}}
    assert call(name, [2])[0] == {"got": [2]}


def test_a_js_file_is_preferred_to_other_extensions(node, call):
    files = {f"index.{kind}": f"exports.handler = async () => '{kind}';" for kind in ("js", "cjs")}
    assert call(node({**files, "index.mjs": "export const handler = async () => 'mjs';"}))[0] == "js"


@pytest.mark.parametrize(
    ("result", "expected"),
    [("undefined", None), ("null", None), ("'text'", "text"), ("[1, {a: 2}]", [1, {"a": 2}]), ("'ä€😀'", "ä€😀"),
     ("new Date(0)", "1970-01-01T00:00:00.000Z"), ("(() => 1)", None)],
)  # fmt: skip
def test_results_become_json(node, call, result, expected):
    assert call(node(f"exports.handler = async () => {result};"))[0] == expected


def test_large_events_and_results_pass(node, call):
    name = node("exports.handler = async (event) => event.text + event.text;", MemorySize=512)
    assert call(name, {"text": "ä" * 500_000})[0] == "ä" * 1_000_000


def test_a_callback_answers_once_the_event_loop_is_empty(node, call, runtime):
    needs_callbacks(runtime)
    source = """
        let late = 0;
        exports.handler = (event, context, callback) => {
          setTimeout(() => { late += 1; }, 50);
          if (event.now) context.callbackWaitsForEmptyEventLoop = false;
          callback(null, { get late() { return late; } });
        };"""
    assert call(node(source), {})[0] == {"late": 1}
    assert call(node(source), {"now": True})[0] == {"late": 0}


@pytest.mark.parametrize(
    ("end", "expected"),
    [("callback(null, 'c')", "c"), ("callback()", None), ("context.succeed('s')", "s"),
     ("context.done(null, 'd')", "d"),
     ("setTimeout(() => callback(undefined, 'later'), 20)", "later"), ("0", None), ("'ignored'", None)],
)  # fmt: skip
def test_older_ways_to_answer(node, call, runtime, end, expected):
    needs_callbacks(runtime)
    assert call(node(f"exports.handler = (event, context, callback) => {end};"))[0] == expected


@pytest.mark.parametrize("end", ["callback(new RangeError('no'))", "context.fail(new RangeError('no'))",
                                 "context.done(new RangeError('no'))", "{ throw new RangeError('no'); }"])  # fmt: skip
def test_older_ways_to_fail(fails, runtime, end):
    needs_callbacks(runtime)
    failed = fails(f"exports.handler = (event, context, callback) => {end};")
    assert (failed.kind, failed.message, failed.trace[0]) == ("RangeError", "no", "RangeError: no")


def test_without_callbacks_a_handler_with_three_parameters_is_refused(fails, runtime):
    if runtime in WITH_CALLBACKS:
        pytest.skip("up to Node.js 22 there are callbacks")
    failed = fails("exports.handler = (event, context, callback) => callback(null, 1);")
    assert failed.kind == "Runtime.CallbackHandlerDeprecated"


def test_without_callbacks_a_plain_function_returns_its_result(node, call, runtime):
    if runtime in WITH_CALLBACKS:
        pytest.skip("up to Node.js 22 the result of a plain function is not used")
    assert call(node("exports.handler = () => 7;"))[0] == 7


def test_a_promise_that_is_never_settled_ends_without_a_result(node, call):
    name = node("exports.handler = () => new Promise(() => {});")
    assert call(name)[0] is None
    assert call(name)[0] is None


def test_the_context(node, call, lambda_client):
    source = """exports.handler = async (event, context) => ({
        ...context, left: context.getRemainingTimeInMillis(), waits: context.callbackWaitsForEmptyEventLoop,
        trace: process.env._X_AMZN_TRACE_ID });"""
    name = node(source, MemorySize=256)
    client_context = base64.b64encode(json.dumps({"custom": {"ä": 1}}).encode()).decode()
    answer = lambda_client.invoke(FunctionName=name, ClientContext=client_context)
    context = json.loads(answer["Payload"].read())
    arn = lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"]
    assert (context["functionName"], context["functionVersion"], context["memoryLimitInMB"]) == (name, "$LATEST", "256")
    assert context["logGroupName"] == f"/aws/lambda/{name}"
    assert (context["invokedFunctionArn"], context["clientContext"]) == (arn, {"custom": {"ä": 1}})
    assert context["awsRequestId"] == answer["ResponseMetadata"]["RequestId"]
    assert 0 < context["left"] <= 10_000
    assert context["waits"] is True
    assert context["trace"].startswith("Root=1-")
    other = call(name)[0]
    assert other["trace"] != context["trace"]
    assert "clientContext" not in other


def test_module_state_lives_on_in_an_environment(node, call):
    name = node("let n = 0; exports.handler = async () => ++n;")
    assert [call(name)[0] for _ in range(3)] == [1, 2, 3]


# --- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_of_the_handler(fails):
    failed = fails("exports.handler = async () => { throw Object.assign(new TypeError('no'), { code: 'E', n: 1 }); };")
    assert (failed.kind, failed.message) == ("TypeError", "no")
    assert failed.trace[0] == "TypeError: no"
    assert "/var/task/index.js:1:" in failed.trace[1]
    line = next(line for line in failed.log.splitlines() if "\tERROR\tInvoke Error \t" in line)
    told = json.loads(line.rpartition("\t")[2])
    assert {key: told[key] for key in ("errorType", "errorMessage", "code", "n")} == {
        "errorType": "TypeError", "errorMessage": "no", "code": "E", "n": 1,
    }  # fmt: skip
    assert told["stack"][0] == "TypeError: no"


@pytest.mark.parametrize(
    ("thrown", "kind", "message"),
    [("'text'", "string", "text"), ("42", "number", "42"), ("({a: 1})", "object", "[object Object]"),
     ("{name: 'N', message: 'm', stack: 's'}", "N", "m")],
)  # fmt: skip
def test_what_is_thrown_need_not_be_an_error(fails, thrown, kind, message):
    failed = fails(f"exports.handler = async () => {{ throw {thrown}; }};")
    assert (failed.kind, failed.message) == (kind, message)


def test_nothing_thrown_is_an_error_too(fails):
    assert fails("exports.handler = async () => { throw null; };").kind == "handled"


@pytest.mark.parametrize("result", ["(() => { const a = {}; a.a = a; return a; })()", "10n"])
def test_a_result_that_is_not_json(fails, result):
    assert fails(f"exports.handler = async () => {result};").message == "Unable to stringify response body"


@pytest.mark.parametrize(
    ("files", "handler", "kind", "message"),
    [
        ({"index.js": ""}, "index.handler", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ({"index.js": "exports.a = {}"}, "index.a.b", "Runtime.HandlerNotFound",
         "index.a.b is undefined or not exported"),
        ({"index.js": "exports.a = 1"}, "index.a", "Runtime.HandlerNotFound", "index.a is not a function"),
        ({"index.js": ""}, "index", "Runtime.MalformedHandlerName", "Bad handler"),
        ({"index.js": ""}, "../index.x", "Runtime.MalformedHandlerName",
         "'../index.x' is not a valid handler name. Use absolute paths"),
        ({"other.js": ""}, "index.handler", "Runtime.ImportModuleError",
         "Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/index.mjs"),
        ({"index.js": "require('absent')"}, "index.handler", "Runtime.ImportModuleError",
         "Error: Cannot find module 'absent'\nRequire stack:\n- /var/task/index.js\n- /var/runtime/index.mjs"),
        ({"index.js": "let a = ;"}, "index.handler", "Runtime.UserCodeSyntaxError",
         "SyntaxError: Unexpected token ';'"),
        ({"index.mjs": "let a = ;"}, "index.handler", "Runtime.UserCodeSyntaxError",
         "SyntaxError: Unexpected token ';'"),
        ({"index.mjs": "import 'absent'"}, "index.handler", "Error",
         "Cannot find package 'absent' imported from /var/task/index.mjs"),
        ({"index.js": "throw new RangeError('at init')"}, "index.handler", "RangeError", "at init"),
        ({"index.mjs": "await new Promise(() => {})"}, "index.handler", "Runtime.NodeJsExit",
         "The Lambda runtime client detected an unexpected Node.js exit code."),
    ],
)  # fmt: skip
def test_a_handler_that_cannot_be_loaded(fails, files, handler, kind, message):
    failed = fails(files, Handler=handler)
    assert failed.kind == kind
    assert failed.message.startswith(message)
    assert failed.trace[0].startswith(("Error [ERR_MODULE_NOT_FOUND]", f"{kind}: {message}".split("\n")[0]))


def test_a_failed_start_is_logged_once_for_each_try(node, call, logs_client):
    name = node("throw new Error('at init')")
    with pytest.raises(Failed):
        call(name)
    told = [message for message in messages(logs_client, name) if "\tERROR\tUncaught Exception \t" in message]
    assert len(told) == 2
    assert told[0].split("\t")[1] == "undefined"
    assert json.loads(told[0].rpartition("\t")[2])["errorMessage"] == "at init"


def test_an_unhandled_rejection_ends_the_runtime(node, call):
    source = """let n = 0; exports.handler = async (event) => {
        if (event) { Promise.reject(new Error("lost")); await new Promise((done) => setTimeout(done, 5000)); }
        return ++n; };"""
    name = node(source)
    assert call(name)[0] == 1
    with pytest.raises(Failed) as raised:
        call(name, True)
    failed = raised.value
    assert (failed.kind, failed.message) == ("Runtime.UnhandledPromiseRejection", "Error: lost")
    assert failed.trace[0] == "Runtime.UnhandledPromiseRejection: Error: lost"
    line = next(line for line in failed.log.splitlines() if "\tERROR\tUnhandled Promise Rejection \t" in line)
    assert json.loads(line.rpartition("\t")[2])["reason"]["errorMessage"] == "lost"
    assert call(name)[0] == 1


def test_an_uncaught_exception_ends_the_runtime(node, call):
    source = """let n = 0; exports.handler = async (event) => {
        if (event) { setTimeout(() => { throw new TypeError("thrown"); }, 5);
                     await new Promise((done) => setTimeout(done, 5000)); }
        return ++n; };"""
    name = node(source)
    assert call(name)[0] == 1
    with pytest.raises(Failed) as raised:
        call(name, True)
    assert (raised.value.kind, raised.value.message) == ("TypeError", "thrown")
    assert "\tERROR\tUncaught Exception \t" in raised.value.log
    assert call(name)[0] == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("exports.handler = async () => process.exit(3);", "Runtime exited with error: exit status 3"),
        ("exports.handler = async () => process.exit();", "Runtime exited without providing a reason"),
        ("exports.handler = async () => process.abort();", "Runtime exited with error: signal: aborted"),
        ("process.exit(4);", "Runtime exited with error: exit status 4"),
    ],
)
def test_a_runtime_that_exits(fails, source, message):
    failed = fails(source)
    assert failed.kind == "Runtime.ExitError"
    assert failed.message.endswith(f"Error: {message}")


def test_a_handler_that_blocks_times_out(node, call):
    name = node("exports.handler = async (event) => { while (event); return 'fine'; };", Timeout=1)
    with pytest.raises(Failed) as raised:
        call(name, True)
    assert raised.value.kind == "Sandbox.Timedout"
    assert call(name)[0] == "fine"


# --- streaming --------------------------------------------------------------------------------------------------------


def test_a_streamed_response_arrives_whole(node, lambda_client):
    source = """export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
        stream.setContentType("text/plain");
        for (let n = 0; n < 3; n++) { stream.write(`${n} ${context.functionVersion}\\n`); await tick(); }
        stream.write({ last: true }); stream.end(); });
        const tick = () => new Promise((done) => setTimeout(done, 5));"""
    answer = lambda_client.invoke(FunctionName=node({"index.mjs": source}))
    assert "FunctionError" not in answer
    assert answer["Payload"].read().decode() == '0 $LATEST\n1 $LATEST\n2 $LATEST\n{"last":true}'


def test_a_streamed_response_can_be_large_and_piped(node, lambda_client):
    source = """import { pipeline } from "node:stream/promises"; import { Readable } from "node:stream";
        export const handler = awslambda.streamifyResponse(async (event, stream) => {
          await pipeline(Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(65536, 97))), stream); });"""
    name = node({"index.mjs": source}, MemorySize=512)
    for _ in range(2):
        body = lambda_client.invoke(FunctionName=name)["Payload"].read()
        assert body == b"a" * (50 * 65536)


def test_the_prelude_of_an_http_response(node, lambda_client):
    source = """export const handler = awslambda.streamifyResponse(async (event, stream) => {
        stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { "x-a": "b" } });
        stream.end("body"); });"""
    body = lambda_client.invoke(FunctionName=node({"index.mjs": source}))["Payload"].read()
    prelude, _, rest = body.partition(b"\0" * 8)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"x-a": "b"}}
    assert rest == b"body"


def test_an_error_before_the_first_byte_of_a_stream(fails):
    failed = fails("exports.handler = awslambda.streamifyResponse(async () => { throw new Error('early'); });")
    assert (failed.kind, failed.message) == ("Error", "early")


def test_a_streaming_handler_must_be_async(fails):
    assert fails("exports.handler = awslambda.streamifyResponse(() => 1);").kind == "Runtime.MalformedStreamingHandler"


# --- logs -------------------------------------------------------------------------------------------------------------

LOGS = """exports.handler = async (event, context) => {
  console.log("one %s", "formatted", { a: 1 });
  console.log("first line\\nsecond line");
  console.trace("t"); console.debug("d"); console.info("i"); console.warn("w"); console.error("e");
  process.stdout.write("raw\\n");
  return context.awsRequestId;
};
console.log("at init");
"""


def test_console_messages_are_events_in_awss_format(node, call, logs_client):
    name = node(LOGS)
    request = call(name)[0]
    found = messages(logs_client, name)
    lines = {message.split("\t", 3)[3]: message.split("\t") for message in found if message.count("\t") >= 3}
    assert lines["one formatted { a: 1 }\n"][1:3] == [request, "INFO"]
    assert lines["first line\nsecond line\n"][1:3] == [request, "INFO"]
    assert lines["at init\n"][1:3] == ["undefined", "INFO"]
    for text, level in (("t", "TRACE"), ("d", "DEBUG"), ("i", "INFO"), ("w", "WARN"), ("e", "ERROR")):
        assert lines[f"{text}\n"][1:3] == [request, level]
    assert time.strptime(lines["w\n"][0], "%Y-%m-%dT%H:%M:%S.%fZ")
    assert "raw\n" in found


def test_console_messages_as_json(node, call, logs_client):
    source = """exports.handler = async () => {
        console.log("text %s", "formatted"); console.warn({ a: 1 }); console.debug("not shown");
        console.error(new TypeError("bad")); console.error("with", new RangeError("worse"));
        console.info("two\\nlines"); const a = {}; a.a = a; console.info(a); };"""
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    name = node(source, Environment={"Variables": variables})
    call(name)
    found = [json.loads(message) for message in messages(logs_client, name) if message.startswith('{"timestamp"')]
    assert [entry["level"] for entry in found] == ["INFO", "WARN", "ERROR", "ERROR", "INFO", "INFO"]
    text, value, error, worse, lines, circular = found
    assert text["message"] == "text formatted"
    assert set(text) == {"timestamp", "level", "requestId", "message"}
    assert value["message"] == {"a": 1}
    assert (error["message"]["errorType"], error["message"]["errorMessage"]) == ("TypeError", "bad")
    assert (worse["errorType"], worse["errorMessage"]) == ("RangeError", "worse")
    assert worse["stackTrace"][0] == "RangeError: worse"
    assert lines["message"] == "two\nlines"
    assert "[Circular" in circular["message"]


def test_messages_of_one_invocation_stand_before_its_end(node, call):
    _, log = call(node("exports.handler = async () => { for (let n = 0; n < 20; n++) console.log('line', n); };"))
    lines = log.splitlines()
    end = next(index for index, line in enumerate(lines) if line.startswith("END "))
    assert sum("\tline " in line for line in lines[:end]) == 20


def test_the_runtime_is_named_in_the_log(node, call, logs_client, runtime):
    name = node("exports.handler = async () => 1;")
    call(name)
    label = runtime.replace("nodejs", "nodejs:").removesuffix(".x")
    assert any(message.startswith(f"INIT_START Runtime Version: {label}.v") for message in messages(logs_client, name))


# --- packages ---------------------------------------------------------------------------------------------------------

TREE = {
    "node_modules/cjs/package.json": '{"name": "cjs", "version": "1.0.0", "main": "lib/main.js"}',
    "node_modules/cjs/lib/main.js": "const d = require('deep'); exports.name = 'cjs'; exports.deep = d.version;",
    "node_modules/cjs/node_modules/deep/index.js": "exports.version = 'of cjs';",
    "node_modules/deep/index.js": "exports.version = 'of the function';",
    "node_modules/@scope/esm/package.json":
        '{"name": "@scope/esm", "type": "module", "exports": {".": "./index.js", "./sub": "./sub.js"}}',
    "node_modules/@scope/esm/index.js": "export { version } from 'deep'; export const name = 'esm';",
    "node_modules/@scope/esm/sub.js": "export default import.meta.url;",
    "node_modules/both/package.json": '{"name": "both", "exports": {"import": "./b.mjs", "require": "./b.cjs"}}',
    "node_modules/both/b.mjs": "export default 'imported';",
    "node_modules/both/b.cjs": "module.exports = 'required';",
    "data.json": '{"n": 5}',
    "src/own.js": "module.exports = 'own';",
}  # fmt: skip


def test_dependencies_of_a_commonjs_function(node, call):
    source = """const cjs = require("cjs"), own = require("./src/own"), data = require("./data.json");
        exports.handler = async () => { const esm = await import("@scope/esm"), sub = await import("@scope/esm/sub");
          return [cjs.name, cjs.deep, require("deep").version, esm.name, esm.version, sub.default, require("both"),
                  own, data.n]; };"""
    sub = "file:///var/task/node_modules/@scope/esm/sub.js"
    assert call(node({"index.js": source, **TREE}))[0] == [
        "cjs", "of cjs", "of the function", "esm", "of the function", sub, "required", "own", 5,
    ]  # fmt: skip


def test_dependencies_of_an_es_module(node, call):
    source = """import cjs from "cjs"; import { name, version } from "@scope/esm"; import both from "both";
        import own from "./src/own.js"; import { createRequire } from "node:module";
        const data = createRequire(import.meta.url)("./data.json");
        export const handler = async () => [cjs.name, cjs.deep, name, version, both, own, data.n];"""
    assert call(node({"index.mjs": source, **TREE}))[0] == [
        "cjs", "of cjs", "esm", "of the function", "imported", "own", 5,
    ]  # fmt: skip


def test_both_kinds_of_modules_are_found_through_node_path(node, call, runtime):
    """A directory of packages beside the function's stands for one of a layer."""
    if tuple(map(int, FOUND[runtime].version.split("."))) < (18, 19, 0):
        pytest.skip("Node.js before 18.19 has no hooks for the resolution of ES modules")
    files = {
        "layer/nodejs/node_modules/shared/package.json": '{"name": "shared", "type": "commonjs"}',
        "layer/nodejs/node_modules/shared/index.js": "exports.where = __filename;",
        "cjs.js": "exports.handler = async () => require('shared').where;",
        "esm.mjs": "import { where } from 'shared'; export const handler = async () => where;",
    }
    path = {"Variables": {"NODE_PATH": "/var/task/layer/nodejs/node_modules:/var/runtime/node_modules"}}
    for handler in ("cjs.handler", "esm.handler"):
        found = call(node(files, Handler=handler, Environment=path))[0]
        assert found == "/var/task/layer/nodejs/node_modules/shared/index.js"


SDK = """
const result = async (event) => {
  const client = new LambdaClient({});
  const answer = await client.send(new InvokeCommand({ FunctionName: event.name, Payload: '{"n": 1}' }));
  return [JSON.parse(Buffer.from(answer.Payload).toString()), typeof DynamoDBDocumentClient.from];
};
"""


@pytest.mark.parametrize("kind", ["cjs", "mjs"])
def test_the_aws_sdk_is_there_and_reaches_ingle(node, call, runtime, kind):
    if family_without_sdk(runtime):
        pytest.skip(f"the AWS SDK for {runtime} is not installed: run `ingle runtimes install`")
    target = node("exports.handler = async (event) => ({ called: event });")
    names = {"@aws-sdk/client-lambda": "LambdaClient, InvokeCommand", "@aws-sdk/lib-dynamodb": "DynamoDBDocumentClient"}
    if kind == "cjs":
        head = "".join(f"const {{ {what} }} = require('{package}');\n" for package, what in names.items())
        source = f"{head}{SDK} exports.handler = result;"
    else:
        head = "".join(f"import {{ {what} }} from '{package}';\n" for package, what in names.items())
        source = f"{head}{SDK} export const handler = result;"
    name = node({f"index.{kind}": source}, MemorySize=512)
    result, log = call(name, {"name": target})
    assert result == [{"called": {"n": 1}}, "function"]
    assert "Warning" not in log


def test_a_function_may_bring_its_own_sdk(node, call):
    own = {"node_modules/@aws-sdk/client-s3/index.js": "exports.own = true;"}
    assert call(node({"index.mjs": "import s3 from '@aws-sdk/client-s3'; export const handler = async () => s3.own;",
                      **own}))[0] is True  # fmt: skip


def family_without_sdk(runtime: str) -> bool:
    family = families.family_of(runtime)
    return family is None or family.libraries(SETTINGS.runtimes_dir, runtime) is None
