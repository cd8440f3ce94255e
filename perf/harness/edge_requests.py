"""Edge cases, part 1: requests that Larder must refuse with the right status and a close. None may reach the origin.

Sources: RFC 9112 §2.2, §3.2, §5, §6, §7.1, §11.2; RFC 9110 §5.5, §7.2, §15.5.
"""

import time

from .client import Closed, Connection
from .processes import Failure

HOST = b"Host: edge.example\r\n"
LONG = b"a" * 17_000


def get(*lines, target=b"/refused", host=HOST):
    return b"GET " + target + b" HTTP/1.1\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def post(*lines, body=b"", target=b"/refused"):
    return b"POST " + target + b" HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked", body=body)


# After each request comes a second one, which an attacker would try to smuggle to the origin.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: edge.example\r\n\r\n"


def marked(name, data):
    """Gives each case its own paths, so that a late request of an earlier case does not count against it."""
    mark = b"/%d" % (sum(name.encode()) * 1000 + len(data) % 1000)
    for path in (b"/refused", b"/whole", b"/smuggled"):
        data = data.replace(path, path + mark)
    return data, mark.decode()

# (name, bytes, allowed statuses)
TABLE = [
    # Two contradicting marks of the end of the body.
    ("Content-Length with Transfer-Encoding",
     post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400}),
    ("Transfer-Encoding with Content-Length",
     post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n"), {400}),
    ("Content-Length twice, different", post(b"Content-Length: 1", b"Content-Length: 2", body=b"xx"), {400}),
    ("Content-Length twice, the same", post(b"Content-Length: 1", b"Content-Length: 1", body=b"x"), {400}),
    ("Content-Length as a list", post(b"Content-Length: 1, 1", body=b"x"), {400}),
    *[(f"Content-Length {value!r}", post(b"Content-Length: " + value, body=b"x"), {400})
      for value in (b"+1", b"-1", b"0x1", b"1a", b"1 1", b"1.0", b"", b"\"1\"", b"18446744073709551616",
                    b"99999999999999999999999", b"1;", b"\xb2")],
    # A Transfer-Encoding that is not exactly `chunked`.
    *[(f"Transfer-Encoding {value!r}", post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n"), {400, 501})
      for value in (b"xchunked", b"chunked, identity", b"identity", b"gzip, chunked", b"chunked, chunked", b"",
                    b"chunked;q=1", b"\"chunked\"", b"chunked,", b"chunked\x0b", b"\x0bchunked", b"chunke d",
                    b"chunked\xa0")],
    ("Transfer-Encoding twice",
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400, 501}),
    ("Transfer-Encoding twice, one identity",
     post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400, 501}),
    ("Transfer-Encoding in HTTP/1.0",
     b"POST /refused HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    # Line ends and blanks.
    ("bare LF behind the request line", b"GET /refused HTTP/1.1\n" + HOST + b"\r\n", {400}),
    ("bare LF behind a field", b"GET /refused HTTP/1.1\r\nHost: edge.example\nX-A: b\r\n\r\n", {400}),
    ("bare LF ends the head", b"GET /refused HTTP/1.1\r\n" + HOST + b"\n", {400}),
    ("bare CR in a value", get(b"X-A: b\rc"), {400}),
    ("bare CR in the request line", get(target=b"/refused\rx"), {400}),
    ("CR CR LF", b"GET /refused HTTP/1.1\r\nHost: edge.example\r\r\n\r\n", {400}),
    ("obs-fold", get(b"X-A: b", b" c"), {400}),
    ("obs-fold by a tab", get(b"X-A: b", b"\tc"), {400}),
    ("blank before the first field", b"GET /refused HTTP/1.1\r\n X-A: b\r\n" + HOST + b"\r\n", {400}),
    ("space before the colon", get(b"X-A : b"), {400}),
    ("tab before the colon", get(b"X-A\t: b"), {400}),
    ("space before Content-Length's colon", post(b"Content-Length : 1", body=b"x"), {400}),
    ("space before Transfer-Encoding's colon", post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), {400}),
    ("no colon", get(b"X-A"), {400}),
    ("empty field name", get(b": b"), {400}),
    *[(f"control {byte:#04x} in a value", get(b"X-A: b" + bytes([byte]) + b"c"), {400})
      for byte in (0, 1, 8, 11, 12, 27, 31, 127)],
    *[(f"byte {byte:#04x} in a field name", get(b"X" + bytes([byte]) + b"A: b"), {400})
      for byte in (0, 32, 34, 40, 44, 47, 64, 92, 123, 127, 128, 255)],
    *[(f"byte {byte:#04x} in the target", get(target=b"/refused" + bytes([byte])), {400})
      for byte in (0, 1, 9, 127)],
    ("two spaces in the request line", b"GET  /refused HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    ("space in the target", get(target=b"/refused x"), {400}),
    ("a tab for a space", b"GET\t/refused HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    ("a trailing space in the request line", b"GET /refused HTTP/1.1 \r\n" + HOST + b"\r\n", {400, 505}),
    # Host.
    ("no Host", get(host=b""), {400}),
    ("Host twice", get(b"Host: edge.example"), {400}),
    ("Host twice, different", get(b"Host: other.example"), {400}),
    *[(f"Host {value!r}", get(host=b"Host: " + value + b"\r\n"), {400})
      for value in (b"a b", b"a,b", b"user@a", b"a/b", b"a:b", b"a:99999", b"a:1:2", b"[::1", b"a?b", b"a#b", b"a\\b",
                    b"http://a")],
    ("Host against absolute-form", get(target=b"http://other.example/refused"), {400}),
    ("absolute-form with user information",
     get(target=b"http://u@edge.example/refused"), {400}),
    ("a target without a slash", get(target=b"refused"), {400}),
    ("asterisk with GET", get(target=b"*"), {400}),
    # Versions and methods.
    ("HTTP/0.9", b"GET /refused\r\n\r\n", {400, 505}),
    ("HTTP/2.0", b"GET /refused HTTP/2.0\r\n" + HOST + b"\r\n", {505}),
    ("HTTP/3.7", b"GET /refused HTTP/3.7\r\n" + HOST + b"\r\n", {505}),
    ("http/1.1 in small letters", b"GET /refused http/1.1\r\n" + HOST + b"\r\n", {400, 505}),
    ("HTTP/1.10", b"GET /refused HTTP/1.10\r\n" + HOST + b"\r\n", {400, 505}),
    ("HTTP/01.1", b"GET /refused HTTP/01.1\r\n" + HOST + b"\r\n", {400, 505}),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    ("TRACE", b"TRACE /refused HTTP/1.1\r\n" + HOST + b"\r\n", {405, 501}),
    ("CONNECT", b"CONNECT edge.example:443 HTTP/1.1\r\nHost: edge.example:443\r\n\r\n", {405, 501}),
    ("a method with a parenthesis", b"G(T /refused HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    ("a greeting in TLS", bytes.fromhex("16030100750100007103037d") + b"\x00" * 32 + b"\r\n\r\n", {400}),
    # Limits.
    ("a long target", get(target=b"/refused" + LONG), {414}),
    ("a long field", get(b"X-A: " + LONG), {431}),
    ("a long head of many fields", get(*(b"X-A%d: " % n + b"b" * 180 for n in range(95))), {431}),
    ("too many fields", get(*(b"X-A%d: b" % n for n in range(101))), {431}),
    ("a body over the limit by Content-Length", post(b"Content-Length: 2000000"), {413}),
    ("a body over the limit, expecting 100", post(b"Content-Length: 2000000", b"Expect: 100-continue"), {413}),
]

# Bad chunks. The head is valid, so it may reach the origin; the body must not arrive there as whole.
CHUNKS = [
    *[(f"chunk size {size!r}", size + b"\r\nx\r\n0\r\n\r\n")
      for size in (b"zz", b"-1", b"0x1", b"+1", b" 1", b"1 ", b"", b"1\x0b", b"11111111111111111", b"g", b"1,1",
                   b"1\n", b"1\r")],
    ("chunk size ended by a bare LF", b"1\nx\r\n0\r\n\r\n"),
    ("chunk data without its line end", b"1\r\nxx\r\n0\r\n\r\n"),
    ("chunk data ended by a bare LF", b"1\r\nx\n0\r\n\r\n"),
    ("chunk data longer than its size", b"1\r\nxyz\r\n0\r\n\r\n"),
    ("last chunk with a bare LF", b"1\r\nx\r\n0\r\n\n"),
    ("an endless chunk extension", b"1;" + b"a" * 20_000 + b"\r\nx\r\n0\r\n\r\n"),
    ("endless trailers", b"1\r\nx\r\n0\r\n" + b"X-T: %s\r\n" % (b"a" * 1000) * 40 + b"\r\n"),
    ("a trailer folded", b"1\r\nx\r\n0\r\nX-T: a\r\n b\r\n\r\n"),
    ("a trailer with a space before its colon", b"1\r\nx\r\n0\r\nX-T : a\r\n\r\n"),
]


def refused(name, data, statuses):
    def case(bed):
        sent, mark = marked(name, data + SMUGGLED)
        with Connection(bed.port, timeout=6) as connection:
            try:
                connection.send(sent)
            except OSError:
                pass  # Refused and closed before all was sent.
            try:
                response = connection.response()
            except Closed as closed:
                raise Failure(f"closed without an answer, not {sorted(statuses)}") from closed
            if response.status not in statuses:
                raise Failure(f"answered {response.status}, not {sorted(statuses)}")
            if not connection.closed():
                raise Failure(f"answered {response.status} and stayed open")
        arrived = [request.target for request in bed.origin.seen if mark in request.target]
        if arrived:
            raise Failure(f"refused, but {arrived} reached the origin")
    return name, case


def bad_chunks(name, body):
    def case(bed):
        sent, mark = marked(name, chunked(body).replace(b"/refused", b"/whole") + SMUGGLED)
        with Connection(bed.port, timeout=6) as connection:
            try:
                connection.send(sent)
            except OSError:
                pass
            try:
                status = connection.response().status
            except Closed as closed:
                raise Failure("closed without an answer, not 400") from closed
            allowed = {400, 413, 431}
            if status not in allowed:
                raise Failure(f"answered {status}, not one of {sorted(allowed)}")
            if not connection.closed():
                raise Failure("stayed open")
        if bed.origin.requests("/smuggled" + mark):
            raise Failure("the second request reached the origin")
    return name, case


def slow_head(bed):
    """A slow head gets a 408 within the limit (2 s). A silent connection is closed, with or without a 408."""
    with Connection(bed.port, timeout=8) as connection:
        started = time.monotonic()
        for byte in b"GET /refused HTT":
            connection.send(bytes([byte]))
            connection.socket.settimeout(0.25)
            try:
                if not connection.fill() or connection.buffer:
                    break
            except TimeoutError:
                continue
        connection.socket.settimeout(6)
        status = connection.response().status
        seconds = time.monotonic() - started
        if status != 408 or not 1.5 < seconds < 4.5:
            raise Failure(f"{status} after {seconds:.1f} s, not 408 after 2 s")
        if not connection.closed():
            raise Failure("408 and stayed open")


def long_chunked_body(bed):
    """A chunked body above the limit gets a 413, and does not arrive at the origin as whole."""
    with Connection(bed.port, timeout=8) as connection:
        connection.send(post(b"Transfer-Encoding: chunked", target=b"/whole-big"))
        try:
            for _ in range(40):
                connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            connection.send(b"0\r\n\r\n")
        except OSError:
            pass
        status = connection.response().status
        if status != 413:
            raise Failure(f"answered {status}, not 413")
    if any(len(request.body) > 1 << 20 for request in bed.origin.requests("/whole-big")):
        raise Failure("the whole body reached the origin")


def cases():
    return [
        *[refused(*row) for row in TABLE],
        *[bad_chunks(*row) for row in CHUNKS],
        ("a head that comes slowly", slow_head),
        ("a chunked body over the limit", long_chunked_body),
    ]
