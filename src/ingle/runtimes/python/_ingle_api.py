"""The client of the Runtime API: HTTP/1.1 over one plain socket that stays open.

The answer to one invocation and the poll for the next leave in a single write. The address is numeric, so that no
resolver and none of the modules behind one have to be imported.
"""

import socket

_PREFIX = "/2018-06-01/runtime"
#: Bytes of a response that the Runtime API accepts.
MAX_RESPONSE = 6_291_556


class RuntimeApi:
    """One connection to the Runtime API. Where it is lost the process ends: the platform starts a new one.

    `connect` may be called again, in a process that was forked from the one that connected first.
    """

    def __init__(self, address):
        self._socket = None
        self.connect(address)

    def connect(self, address):
        """Connect to `host:port`, with nothing left of a connection from before."""
        if self._socket is not None:
            self._socket.close()
        host, _, port = address.partition(":")
        self._host_name = address
        self._acknowledgement = None
        self._buffer = b""
        place = (_PREFIX.encode(), address.encode())
        self._poll = b"GET %s/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n" % place
        head = b"POST %s/invocation/%%s/response HTTP/1.1\r\nHost: %s\r\n" % place
        self._response = head + b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.connect((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def next(self, answer=b""):
        """Send `answer` (a finished request, or nothing) together with the poll; return (headers, event bytes)."""
        self._socket.sendall(answer + self._poll)
        if answer:
            self._read_acknowledgement()
        status, headers, body = self._read()
        if status != 200:
            raise SystemExit("Runtime API answered %d to the poll" % status)
        return headers, body

    def restore_next(self):
        """Wait for the restore. The platform may take its snapshot while this waits."""
        request = "GET %s/restore/next HTTP/1.1\r\nHost: %s\r\n\r\n" % (_PREFIX, self._host_name)
        status = self.send(request.encode())[0]
        if status != 200:
            raise RuntimeError("Runtime API answered %d to restore/next" % status)

    def response(self, request_id, body, content_type):
        """The finished request that answers an invocation with bytes of `content_type`."""
        return self._response % (request_id.encode(), content_type, len(body), body)

    def post(self, path, document, headers):
        """The finished request that reports an error: `document` is JSON as bytes, `headers` pairs of text."""
        more = "".join(["%s: %s\r\n" % pair for pair in headers])
        head = "POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n" % (
            _PREFIX, path, self._host_name, len(document), more
        )  # fmt: skip
        return head.encode("latin-1", "replace") + document

    def send(self, request):
        """Send a finished request; (status, headers, body) of the answer."""
        self._socket.sendall(request)
        return self._read()

    def _read_acknowledgement(self):
        """The answer to a reply is the same every time, and mostly arrives together with the next event."""
        if self._acknowledgement is None:
            self._read()
            return
        if not self._buffer:
            self._buffer = self._socket.recv(65536)
        if self._buffer.startswith(self._acknowledgement):
            self._buffer = self._buffer[len(self._acknowledgement) :]
        else:
            self._read()

    def _read(self):
        buffer = self._buffer
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            piece = self._socket.recv(65536)
            if not piece:
                raise SystemExit("the Runtime API closed the connection")
            buffer += piece
        lines = buffer[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        start = end + 4
        if len(buffer) < start + size:
            buffer = self._fill(buffer, start + size)
        self._buffer = buffer[start + size :]
        status = int(lines[0][9:12])
        if status == 202:
            self._acknowledgement = buffer[: start + size]
        return status, headers, buffer[start : start + size]

    def _fill(self, buffer, size):
        pieces = [buffer]
        have = len(buffer)
        while have < size:
            piece = self._socket.recv(min(size - have, 1 << 20))
            if not piece:
                raise SystemExit("the Runtime API closed the connection")
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)
