"""A scripted origin that controls each byte. The first segment of a request's path names the behaviour that answers.

Each connection has a thread in the process of the check, so behaviours and checks share what the origin has seen.
"""

import socket
import threading

from .client import Closed, Connection


class Request:
    """A request that reached the origin."""

    def __init__(self, method, target, version, fields, body, trailers, number):
        self.method, self.target, self.version = method, target, version
        self.fields, self.body, self.trailers = fields, body, trailers
        # The number of the request on its connection; the first is 1.
        self.number = number

    def get(self, name):
        return ", ".join(value for key, value in self.fields if key.lower() == name.lower())

    def names(self):
        return [key.lower() for key, _ in self.fields]


class Peer(Connection):
    """The origin's end of a connection."""

    def __init__(self, accepted):
        self.socket, self.buffer = accepted, b""
        accepted.settimeout(60)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.served = 0

    def request_head(self):
        method, target, version = self.line().split(" ")
        self.served += 1
        return Request(method, target, version, self.field_lines(), b"", [], self.served)

    def request_body(self, request):
        if request.get("Transfer-Encoding"):
            parts = []
            while size := int(self.line().split(";")[0], 16):
                parts.append(self.take(size))
                self.take(2)
            request.trailers = self.field_lines()
            request.body = b"".join(parts)
        elif length := request.get("Content-Length"):
            request.body = self.take(int(length))

    def answer(self, body=b"", status="200 OK", fields=(), length=True, version="HTTP/1.1"):
        lines = [f"{version} {status}", *fields]
        if length:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def closed_by_peer(self):
        try:
            return not self.fill()
        except TimeoutError:
            return False


class ScriptedOrigin:
    """`behaviours` maps the first path segment to function(peer, request), which returns True to close the connection.

    A behaviour with the attribute `raw` is called before the body is read.
    """

    def __init__(self, behaviours, port=0):
        self.behaviours = behaviours
        self.seen, self.lock = [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(Peer(accepted),), daemon=True).start()

    def serve(self, peer):
        try:
            while True:
                request = peer.request_head()
                path = request.target.split("?")[0]
                behaviour = self.behaviours.get(path.split("/")[1] if "/" in path else path)
                if behaviour is None:
                    peer.answer(b"no such behaviour", "404 Not Found")
                    continue
                if not getattr(behaviour, "raw", False):
                    peer.request_body(request)
                with self.lock:
                    self.seen.append(request)
                if behaviour(peer, request):
                    return
        except (Closed, OSError, ValueError):
            pass
        finally:
            peer.socket.close()

    def requests(self, target):
        """The requests with exactly this target."""
        with self.lock:
            return [request for request in self.seen if request.target == target]

    def close(self):
        self.listener.close()


def raw(behaviour):
    behaviour.raw = True
    return behaviour
