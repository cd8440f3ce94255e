"""A small HTTP/1.1 client on a raw socket. It sends the given bytes and returns the bytes that arrive."""

import socket


class Closed(Exception):
    """The peer closed or reset the connection before the message was whole. `received` has the bytes so far."""

    def __init__(self, received=b""):
        super().__init__(f"closed after {received[:80]!r}")
        self.received = received


class Response:
    def __init__(self, status, fields, body, version="HTTP/1.1", trailers=()):
        self.status, self.fields, self.body = status, fields, body
        self.version, self.trailers = version, list(trailers)

    def get(self, name):
        """All values of a field, joined by commas; an empty string if there is none."""
        return ", ".join(value for key, value in self.fields if key.lower() == name.lower())

    def __repr__(self):
        return f"{self.version} {self.status} {self.fields} {self.body[:60]!r}"


class Connection:
    def __init__(self, port, timeout=10, host="127.0.0.1", receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        """Receives once. Returns False at the end of the stream."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise Closed(self.buffer)
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Closed(self.buffer)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self):
        """Reads a head. Returns (version, status, fields)."""
        version, status = self.line().split(" ", 2)[:2]
        return version, int(status), self.field_lines()

    def field_lines(self):
        fields = []
        while line := self.line():
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
        return fields

    def response(self, method="GET", interim=None):
        """Reads the next final response. Interim responses are appended to `interim`."""
        while True:
            version, status, fields = self.head()
            response = Response(status, fields, b"", version)
            if status >= 200 or status == 101:
                break
            if interim is not None:
                interim.append(response)
        if method == "HEAD" or status in (101, 204, 304):
            return response
        if "chunked" in response.get("Transfer-Encoding").lower():
            parts = []
            while size := int(self.line().split(";")[0], 16):
                parts.append(self.take(size))
                self.take(2)
            response.trailers = self.field_lines()
            response.body = b"".join(parts)
        elif length := response.get("Content-Length"):
            response.body = self.take(int(length))
        else:
            while self.fill():
                pass
            response.body, self.buffer = self.buffer, b""
        return response

    def request(self, target, method="GET", host=None, fields=(), body=b""):
        """Sends a request and reads its answer. The host is the address, as for wrk, because it belongs to the key."""
        host = host or "{}:{}".format(*self.socket.getpeername())
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{k}: {v}" for k, v in fields)]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self.response(method)

    def closed(self, seconds=3):
        """Does the peer close the connection within this time, without sending more bytes?"""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            return not self.fill()
        except TimeoutError:
            return False


def fetch(port, target, **more):
    with Connection(port) as connection:
        return connection.request(target, **more)
