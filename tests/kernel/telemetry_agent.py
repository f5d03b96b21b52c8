"""An agent as vendors ship them: an extension that subscribes to telemetry, listens, and keeps what it is sent.

The same program serves inside a runtime's process (imported) and beside it (executed from /opt/extensions). Standard
library only. What it received is in `/tmp/telemetry-NAME`, one JSON document a line.
"""

import http.client
import http.server
import json
import os
import socketserver
import sys
import threading

PORT = 8181
API = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")


def call(method, path, body=None, headers=None, api=None):
    connection = http.client.HTTPConnection(api or API)
    connection.request(method, path, None if body is None else json.dumps(body), headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def register(name, events):
    status, body, headers = call(
        "POST", "/2020-01-01/extension/register", {"events": events}, {"Lambda-Extension-Name": name}
    )
    assert status == 200, body
    return headers["Lambda-Extension-Identifier"]


def next_event(identifier):
    status, body, _ = call(
        "GET", "/2020-01-01/extension/event/next", headers={"Lambda-Extension-Identifier": identifier}
    )
    assert status == 200, body
    return json.loads(body)


def subscribe(identifier, types=("platform", "function", "extension"), path="/2022-07-01/telemetry", **more):
    request = {
        "schemaVersion": "2022-12-13",
        "types": list(types),
        "buffering": {"timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{PORT}/events"},
        **more,
    }
    return call("PUT", path, request, {"Lambda-Extension-Identifier": identifier})[:2]


def keep(name, documents):
    """In one write: several threads keep at one time."""
    with open("/tmp/telemetry-" + name, "ab", buffering=0) as file:
        file.write("".join(json.dumps(document) + "\n" for document in documents).encode())


def listen_http(name):
    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            keep(name, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("sandbox.localdomain", PORT), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def listen_tcp(name, port):
    class Listener(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                keep(name, [json.loads(line)])

    server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    name = os.path.basename(sys.argv[0])
    print("agent starts", flush=True)
    identifier = register(name, ["INVOKE", "SHUTDOWN"])
    listen_http(name)
    assert subscribe(identifier) == (200, '"OK"')
    while True:
        event = next_event(identifier)
        keep(name, [{"type": "event", "record": event}])
        print("agent saw", event["eventType"], event.get("shutdownReason", event.get("requestId")), flush=True)
        if event["eventType"] == "SHUTDOWN":
            return


if __name__ == "__main__":
    main()
