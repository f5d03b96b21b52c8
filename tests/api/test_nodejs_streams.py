"""Node.js functions that stream, and the AWS SDK for JavaScript that reads streams."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from ingle.settings import load
from ingle.worker import families
from served import Server
from streamed import FILES, messages_until, steps
from streamed import SETTINGS as CUSTOM

SETTINGS = load()
FOUND = [item.runtime for item in families.search(SETTINGS).interpreters if item.runtime.startswith("nodejs")]

pytestmark = pytest.mark.skipif(not FOUND, reason="no Node.js here: run `ingle runtimes install nodejs22.x`")

#: `acknowledged(context, n)` waits until the function's tag `seen` is at least n.
ACKNOWLEDGED = """
const acknowledged = async (context, number) => {
  const arn = encodeURIComponent(context.invokedFunctionArn);
  for (;;) {
    const answer = await fetch(`${process.env.AWS_ENDPOINT_URL}/2017-03-31/tags/${arn}`);
    if (Number((await answer.json()).Tags?.seen ?? 0) >= number) return;
    await new Promise((done) => setTimeout(done, 2));
  }
};
"""
#: Reads the stream of another function, and tells that one of every chunk.
SDK = """
import { LambdaClient, InvokeWithResponseStreamCommand, TagResourceCommand } from "@aws-sdk/client-lambda";
export const handler = async ({ name, arn, payload }) => {
  const client = new LambdaClient({});
  const command = new InvokeWithResponseStreamCommand({ FunctionName: name, Payload: payload, LogType: "Tail" });
  const answer = await client.send(command);
  const found = { status: answer.StatusCode, version: answer.ExecutedVersion, chunks: [] };
  for await (const event of answer.EventStream) {
    if (event.PayloadChunk) {
      found.chunks.push(Buffer.from(event.PayloadChunk.Payload).toString());
      await client.send(new TagResourceCommand({ Resource: arn, Tags: { seen: String(found.chunks.length) } }));
    } else {
      found.complete = event.InvokeComplete;
    }
  }
  return found;
};
"""


@pytest.fixture(params=FOUND or ["none"])
def runtime(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def node(function: Callable[..., str], runtime: str) -> Callable[..., str]:
    """The name of a function with this index.mjs."""

    def create(source: str, **settings: Any) -> str:
        given = {"Runtime": runtime, "Handler": "index.handler", "Timeout": 20, "MemorySize": 512, **settings}
        return function({"index.mjs": source}, **given)

    return create


def streamed(body: str) -> str:
    head = "export const handler = awslambda.streamifyResponse(async (event, stream, context) => {"
    return f"{ACKNOWLEDGED}\n{head}\n{body}\n}});"


def read(client: Any, name: str, event: Any = None) -> tuple[bytes, dict[str, str]]:
    """The bytes of a stream, and what its last event says."""
    *chunks, last = client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event))["EventStream"]
    return b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks), last["InvokeComplete"]


def arn_of(client: Any, name: str) -> str:
    return str(client.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def test_chunks_arrive_while_the_function_writes(node: Callable[..., str], lambda_client: Any) -> None:
    source = """for (let n = 1; n <= 4; n++) { stream.write(`chunk ${n}`); await acknowledged(context, n); }
        stream.end();"""
    name = node(streamed(source))
    arn, seen = arn_of(lambda_client, name), []
    for event in lambda_client.invoke_with_response_stream(FunctionName=name)["EventStream"]:
        if "PayloadChunk" in event:
            seen.append(event["PayloadChunk"]["Payload"].decode())
            lambda_client.tag_resource(Resource=arn, Tags={"seen": str(len(seen))})
    assert seen == ["chunk 1", "chunk 2", "chunk 3", "chunk 4"]


def test_a_pipeline_of_many_megabytes(node: Callable[..., str], lambda_client: Any) -> None:
    source = """const { pipeline } = await import("node:stream/promises");
        const { Readable } = await import("node:stream");
        await pipeline(Readable.from(Array.from({ length: 640 }, (_, n) => Buffer.alloc(65536, n))), stream);"""
    body, complete = read(lambda_client, node(streamed(source)))
    assert complete == {}
    assert body == b"".join(bytes([n % 256]) * 65536 for n in range(640))


def test_a_type_of_ones_own(node: Callable[..., str], lambda_client: Any) -> None:
    name = node(streamed('stream.setContentType("text/x-mine"); stream.end("x");'))
    headers = lambda_client.invoke_with_response_stream(FunctionName=name)["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-remapped-content-type"] == "text/x-mine"


@pytest.mark.parametrize(
    ("source", "body", "code", "message"),
    [
        ('throw new RangeError("early");', b"", "RangeError", "early"),
        ('stream.write("half"); await 1; throw new RangeError("late");', b"half", "RangeError", "late"),
        ('stream.write("half"); setTimeout(() => { throw new RangeError("loose"); }); await acknowledged(context, 1);',
         b"half", "RangeError", "loose"),
        ('stream.write("half"); Promise.reject(new RangeError("lost")); await acknowledged(context, 1);',
         b"half", "Runtime.UnhandledPromiseRejection", "lost"),
        ('stream.write("half"); await new Promise((d) => setTimeout(d, 5)); process.exit(7);',
         b"half", "Runtime.ExitError", "exit status 7"),
        ('stream.write("half"); await new Promise((d) => setTimeout(d, 5)); stream.destroy(new RangeError("broken"));',
         b"half", "RangeError", "broken"),
    ],
    ids=["before", "in the middle", "uncaught", "rejected", "exit", "destroyed"],
)  # fmt: skip
def test_errors(
    node: Callable[..., str], lambda_client: Any, source: str, body: bytes, code: str, message: str
) -> None:
    name = node(streamed(f'if (event?.well) {{ stream.end("well"); return; }}\n{source}'))
    found, complete = read(lambda_client, name, {})
    assert found == body
    assert complete["ErrorCode"] == code
    assert message in json.loads(complete["ErrorDetails"])["errorMessage"]
    assert read(lambda_client, name, {"well": 1}) == (b"well", {})


def test_an_http_response_at_a_url(server: Server, node: Callable[..., str], lambda_client: Any) -> None:
    source = """stream = awslambda.HttpResponseStream.from(stream, {
          statusCode: 201, headers: { "Content-Type": "text/html", "X-Path": event.rawPath }, cookies: ["a=1"] });
        stream.write("<p>"); await acknowledged(context, 1); stream.end("</p>");"""
    name = node(streamed(source))
    given = {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}
    url = urlsplit(lambda_client.create_function_url_config(FunctionName=name, **given)["FunctionUrl"])
    public = {"FunctionName": name, "Principal": "*"}
    lambda_client.add_permission(
        **public, StatementId="a", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE"
    )
    lambda_client.add_permission(**public, StatementId="b", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request("GET", "/some/path", headers={"Host": url.netloc})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (201, "text/html")
    assert (answer.getheader("x-path"), answer.getheader("set-cookie")) == ("/some/path", "a=1")
    assert answer.read1(100) == b"<p>"
    lambda_client.tag_resource(Resource=arn_of(lambda_client, name), Tags={"seen": "1"})
    assert answer.read() == b"</p>"
    connection.close()


def test_writes_wait_for_a_slow_reader(node: Callable[..., str], lambda_client: Any, logs_client: Any) -> None:
    """`drain` comes when there is room: a function that waits for it has not written everything before it is read."""
    source = """const piece = Buffer.alloc(1048576);
        for (let n = 0; n < 64; n++) if (!stream.write(piece)) await new Promise((d) => stream.once("drain", d));
        stream.end(); console.log("everything is written");"""
    name = node(streamed(source))
    events = iter(lambda_client.invoke_with_response_stream(FunctionName=name)["EventStream"])
    size = len(next(events)["PayloadChunk"]["Payload"])
    lines = messages_until(logs_client, name, lambda found: any("START" in line for line in found))
    assert not any("everything is written" in line for line in lines)
    size += sum(len(event["PayloadChunk"]["Payload"]) for event in events if "PayloadChunk" in event)
    assert size == 64 << 20
    lines = messages_until(logs_client, name, lambda found: any("everything is written" in line for line in found))
    assert any("everything is written" in line for line in lines)


@pytest.fixture
def reader(node: Callable[..., str], runtime: str) -> str:
    """A function that reads streams with the AWS SDK for JavaScript."""
    family = families.family_of(runtime)
    if family is None or family.libraries(SETTINGS.runtimes_dir, runtime) is None:
        pytest.skip(f"the AWS SDK for {runtime} is not installed: run `ingle runtimes install`")
    return node(SDK)


def test_the_sdk_for_javascript_reads_each_chunk_as_it_comes(
    reader: str, function: Callable[..., str], lambda_client: Any
) -> None:
    name = function(FILES, **CUSTOM)
    payload = steps(["write", "one"], ["acknowledged", 1], ["write", "two"], ["acknowledged", 2], ["end"])
    event = {"name": name, "arn": arn_of(lambda_client, name), "payload": payload}
    answer = lambda_client.invoke(FunctionName=reader, Payload=json.dumps(event))
    found = json.loads(answer["Payload"].read())
    log = base64.b64decode(found.pop("complete").pop("LogResult")).decode()
    assert found == {"status": 200, "version": "$LATEST", "chunks": ["one", "two"]}
    assert log.startswith("START RequestId: ")


def test_the_sdk_for_javascript_is_told_of_an_error_in_the_middle(
    reader: str, function: Callable[..., str], lambda_client: Any
) -> None:
    name = function(FILES, **CUSTOM)
    payload = steps(["write", "half"], ["acknowledged", 1], ["exit", 3])
    event = {"name": name, "arn": arn_of(lambda_client, name), "payload": payload}
    answer = lambda_client.invoke(FunctionName=reader, Payload=json.dumps(event))
    found = json.loads(answer["Payload"].read())
    assert found["chunks"] == ["half"]
    assert found["complete"]["ErrorCode"] == "Runtime.ExitError"
