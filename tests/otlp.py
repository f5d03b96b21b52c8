"""A small OpenTelemetry collector on loopback, as tests need one: OTLP over HTTP, JSON only."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self


class Span:
    """One span as it arrived, and the attributes of its resource."""

    def __init__(self, span: dict[str, Any], resource: dict[str, Any]) -> None:
        self.trace = span["traceId"]
        self.id = span["spanId"]
        self.parent = span.get("parentSpanId", "")
        self.name = span["name"]
        self.kind = span["kind"]
        self.start = int(span["startTimeUnixNano"])
        self.end = int(span["endTimeUnixNano"])
        self.failed = span.get("status", {}).get("code") == 2
        self.message = span.get("status", {}).get("message")
        self.events = span.get("events", [])
        self.attributes = plain(span["attributes"])
        self.resource = resource

    def __repr__(self) -> str:
        return f"<{self.name} {self.id} of {self.parent or 'nobody'} in {self.trace}: {self.attributes}>"


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["key"]: next(iter(item["value"].values())) for item in attributes}


class Collector:
    """`with Collector() as collector`. `statuses` are the answers to the next requests; then all are 200."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.statuses: list[int] = []
        self.answer: dict[str, Any] = {}
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                status = collector.statuses.pop(0) if collector.statuses else 200
                collector.paths.append(self.path)
                if status == 200:
                    collector.requests.append(json.loads(body))
                answer = json.dumps(collector.answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def spans(self) -> list[Span]:
        return [
            Span(span, plain(part["resource"]["attributes"]))
            for request in list(self.requests)
            for part in request["resourceSpans"]
            for scope in part["scopeSpans"]
            for span in scope["spans"]
        ]

    def wait(self, there: Callable[[list[Span]], bool], seconds: float = 20.0) -> list[Span]:
        """The spans, once they are `there`."""
        until = time.monotonic() + seconds
        while not there(found := self.spans):
            assert time.monotonic() < until, found
            time.sleep(0.02)
        return found
